import time
import urllib.request
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

from botocore.exceptions import ClientError, NoCredentialsError, PartialCredentialsError, ProfileNotFound

from talelio_backend.app_asset.business.store_checkup import NAME, READERS, rights, trial_file
from talelio_backend.app_asset.data.stores.bounded_calls import Overdue
from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.app_asset.data.stores.s3_errors import S3_FAILURES, safe_code
from talelio_backend.shared.business.checkup import Finding, fail, judge_clock, ok, warn

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# Makes a call within a bound of time. Raises Overdue, or as botocore does.
Trial = Callable[[Callable[['S3Client'], Any]], Any]

_FAILURES = (Overdue, *S3_FAILURES)
_CLOCK = f'{NAME} clock'
# Seconds.
_READ_TIMEOUT = 4.0

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_WRONG_CREDENTIALS = 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the task\'s role) right'
_WRONG_REGION = 'Set AWS_REGION to the region of the bucket'
_MENDS = {
    'NoSuchBucket': 'Make the bucket, or set S3_BUCKET (and AWS_ENDPOINT_URL_S3) right',
    'InvalidAccessKeyId': _WRONG_CREDENTIALS,
    'SignatureDoesNotMatch': _WRONG_CREDENTIALS,
    'ExpiredToken': _WRONG_CREDENTIALS,
    'InvalidToken': _WRONG_CREDENTIALS,
    'RequestTimeTooSkewed': 'Have NTP keep this machine\'s clock',
    'AuthorizationHeaderMalformed': _WRONG_REGION,
    'PermanentRedirect': _WRONG_REGION,
    'TemporaryRedirect': _WRONG_REGION,
    'IllegalLocationConstraintException': _WRONG_REGION,
}


class S3StoreCheck:
    """Puts a small file of its own, reads it, lists it and deletes it. For one use."""

    def __init__(self, bucket: S3Bucket, trial: Trial) -> None:
        self._bucket = bucket
        self._trial = trial
        self._key, self._content = trial_file()
        # Of the service's permissions, those that were refused.
        self._refused: list[str] = []
        self._is_changed = False
        # What S3 last said that the time is, and when.
        self._clock: tuple[str, float] | None = None

    def examine(self) -> Iterator[Finding]:
        try:
            put = self._may('PutObject', lambda client: client.put_object(Body=self._content, **self._where))
            try:
                if put:
                    yield from self._read()
                self._may(
                    'ListBucket',
                    lambda client: client.list_objects_v2(Bucket=self._bucket.name, MaxKeys=1),
                )
            finally:
                # Also what was refused may be there: it is asked for, too, to name the right to delete.
                gone = self._may('DeleteObject', lambda client: client.delete_object(**self._where))
        except _FAILURES as error:
            yield self._failure(error)
        else:
            yield self._verdict(left_behind=put and not gone)
        yield from self._judge_clock()

    @property
    def _where(self) -> dict[str, Any]:
        return {'Bucket': self._bucket.name, 'Key': self._key}

    def _may(self, operation: str, call: Callable[['S3Client'], Any]) -> bool:
        try:
            self._note_clock(self._trial(call))
        except ClientError as error:
            self._note_clock(error.response)
            if safe_code(error
                         ) not in ('AccessDenied', 'AllAccessDisabled', f'status {HTTPStatus.FORBIDDEN}'):
                raise
            self._refused.append(operation)
            return False
        return True

    def _note_clock(self, answer: Any) -> None:
        said = answer.get('ResponseMetadata', {}).get('HTTPHeaders', {}).get('date')
        if said:
            self._clock = (said, time.time())

    def _judge_clock(self) -> Iterator[Finding]:
        if self._clock is None:
            return
        said, now = self._clock
        try:
            ahead = parsedate_to_datetime(said).timestamp() - now
        except ValueError:
            # No date at all, which some services that only speak like S3 may send.
            return
        yield judge_clock(_CLOCK, 'S3', ahead)

    def _read(self) -> Iterator[Finding]:
        bodies: list[bytes] = []

        def get(client: 'S3Client') -> Any:
            answer = client.get_object(**self._where)
            bodies.append(answer['Body'].read())
            return answer

        self._is_changed = self._may('GetObject', get) and bodies != [self._content]
        yield self._readers()

    def _readers(self) -> Finding:
        url = self._bucket.url(self._key)
        place = url.removesuffix(self._key)
        try:
            content = self._trial(lambda _: _fetch(url, len(self._content) + 1))
            if content == self._content:
                return ok(READERS, f'everybody can read what is under {place}')
            reason = 'something else is there'
        except HTTPError as error:
            error.close()
            reason = f'status {error.code}'
        except (Overdue, OSError, HTTPException, ValueError, *S3_FAILURES) as error:
            reason = type(error).__name__
        return warn(
            READERS, f'pictures cannot be read under {place} ({reason})',
            'Let everybody read the bucket\'s objects, or set S3_BASE_URL to the CDN before it'
        )

    def _failure(self, error: Exception) -> Finding:
        place = f'{self._bucket.name} at {self._bucket.endpoint_url or "AWS"}'
        if isinstance(error, ClientError):
            code = safe_code(error)
            return fail(
                NAME, f'{place} refused: {code}', _MENDS.get(code, 'Look the code up in S3\'s documentation')
            )
        if isinstance(error, (NoCredentialsError, PartialCredentialsError, ProfileNotFound)):
            return fail(NAME, f'{place}: there are no credentials', _WRONG_CREDENTIALS)
        return fail(
            NAME, f'{place} does not answer ({type(error).__name__})',
            'Set AWS_REGION or AWS_ENDPOINT_URL_S3 right, and let this machine reach it'
        )

    def _verdict(self, *, left_behind: bool) -> Finding:
        place = f'the bucket {self._bucket.name}'
        if self._is_changed and not self._refused:
            return fail(
                NAME, f'{place} gives back other bytes than were put', 'See what stands between here and S3'
            )
        if not self._refused:
            return ok(NAME, f'{place}: put, read, listed and deleted a file')
        found = f'{place} refuses ' + ', '.join(f's3:{operation}' for operation in self._refused)
        mend = f'Allow {rights(self._refused, self._bucket.name)}'
        if left_behind:
            mend += f'; and delete {self._key} by hand'
        return fail(NAME, found, mend)


def _fetch(url: str, size: int) -> bytes:
    with urllib.request.urlopen(url, timeout=_READ_TIMEOUT) as answer:
        content: bytes = answer.read(size)
    return content
