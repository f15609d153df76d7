from pathlib import Path
from typing import Annotated

from pydantic import Field

from talelio_backend.app_asset.data.imaging.protocol import ImageLimits
from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.settings.folders import PROJECT_FOLDER
from talelio_backend.settings.values import SettingsGroup, Url, matching

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BucketName = Annotated[str, matching(r'[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]', 'the name of a bucket')]
_Region = Annotated[str, matching(r'[a-z0-9-]{2,40}', 'a region such as eu-central-1')]


class ImageSettings(SettingsGroup):
    """Where images are stored, and how large they may be."""

    s3_bucket: _BucketName | None = Field(None, examples=['images.example.com'])
    """The S3 bucket that stores images; without it, `IMAGE_FOLDER` does. boto3 finds the credentials in the
    environment (`AWS_ACCESS_KEY_ID`, …; not in `.env`), in its shared file, or in the role of an ECS task."""
    s3_base_url: Url | None = Field(None, examples=['https://cdn.example.com'])
    """What the URLs of images begin with, such as that of a CDN; by default that of the bucket."""
    aws_region: _Region | None = Field(None, examples=['eu-central-1'])
    """The region of the bucket."""
    aws_default_region: _Region | None = None
    """The region of the bucket where `AWS_REGION` is not set."""
    aws_endpoint_url_s3: Url | None = Field(None, examples=['http://localhost:9000'])
    """An S3 service other than that of AWS."""
    aws_endpoint_url: Url | None = None
    """The S3 service where `AWS_ENDPOINT_URL_S3` is not set."""
    image_folder: str = 'var/images'
    """The folder that stores images when there is no bucket."""
    image_max_files: int = Field(10, ge=1, le=100)
    """Files of an upload."""
    image_max_bytes: int = Field(ImageLimits.bytes, ge=1024, le=50 * 1024 * 1024)
    """Bytes of a file."""
    image_max_pixels: int = Field(ImageLimits.pixels, ge=1, le=50_000_000)
    """Pixels of an image."""
    image_max_frames: int = Field(ImageLimits.frames, ge=1, le=10_000)
    """Frames of an animation."""
    image_max_summed_pixels: int = Field(ImageLimits.summed_pixels, ge=1, le=1_000_000_000)
    """Pixels of all frames of an animation together."""

    @property
    def image_store(self) -> S3Bucket | Path:
        if self.s3_bucket is None:
            # Absolute, so that it does not depend on where a command is run.
            return PROJECT_FOLDER / Path(self.image_folder).expanduser()
        return S3Bucket(
            name=self.s3_bucket,
            region=self.aws_region or self.aws_default_region,
            endpoint_url=self.aws_endpoint_url_s3 or self.aws_endpoint_url,
            base_url=self.s3_base_url,
        )

    @property
    def image_limits(self) -> ImageLimits:
        return ImageLimits(
            bytes=self.image_max_bytes,
            pixels=self.image_max_pixels,
            frames=self.image_max_frames,
            summed_pixels=self.image_max_summed_pixels,
        )
