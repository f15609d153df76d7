from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class S3Bucket:
    name: str
    # None means us-east-1.
    region: str | None = None
    # None means AWS.
    endpoint_url: str | None = None
    # The public base URL, such as a CDN's; None means the bucket's own URL.
    base_url: str | None = None

    def url(self, key: str) -> str:
        return f'{self.base_url or self._own_url()}/{key}'

    def _own_url(self) -> str:
        if self.endpoint_url is not None:
            return f'{self.endpoint_url}/{self.name}'
        host = 's3' if self.region in (None, 'us-east-1') else f's3-{self.region}'
        return f'https://{host}.amazonaws.com/{self.name}'
