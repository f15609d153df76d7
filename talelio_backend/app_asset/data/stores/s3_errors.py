import logging
import re
from http import HTTPStatus

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)

from talelio_backend.app_asset.business.errors import StorageRefused
from talelio_backend.shared.business.errors import BusinessError, Unavailable

# All that a call of botocore's may end in.
S3_FAILURES = (BotoCoreError, ClientError)

# Their texts, like those of most errors here, may hold the key, the bucket, the host and signatures: neither
# a client nor the log gets more than what looks like one of S3's own words.
_CODE = re.compile(r'[A-Za-z]{1,64}')
_REQUEST_ID = re.compile(r'[A-Za-z0-9/+=_-]{1,64}')

# S3 answers these with a 4xx status, but trying again may help.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_PASSING_CODES = frozenset((
    'OperationAborted',
    'RequestLimitExceeded',
    'RequestThrottled',
    'RequestThrottledException',
    'RequestTimeout',
    'SlowDown',
    'Throttling',
    'ThrottlingException',
    'TooManyRequests',
    'TooManyRequestsException',
))
_PASSING_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)

# Seconds.
_SOON = 5
_WHEN_SET_UP = 60

_logger = logging.getLogger(__name__)


def business_error(operation: str, error: Exception) -> BusinessError:
    """Log the failure, and return what to raise for it `from None`: the cause would be logged, too."""
    if isinstance(error, ClientError):
        return _answered(operation, error)
    _logger.warning('S3: %s failed: %s', operation, type(error).__name__)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, ProfileNotFound)):
        return Unavailable('The image storage is not set up', retry_after=_WHEN_SET_UP)
    return unavailable()


def unavailable() -> Unavailable:
    return Unavailable('The image storage does not answer just now, please try again', retry_after=_SOON)


def safe_code(error: ClientError) -> str:
    code = str(error.response.get('Error', {}).get('Code', ''))
    if _CODE.fullmatch(code):
        return code
    # An answer to HEAD has no body, hence no code.
    return f'status {error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)}'


def _answered(operation: str, error: ClientError) -> BusinessError:
    metadata = error.response.get('ResponseMetadata', {})
    status = metadata.get('HTTPStatusCode', 0)
    code = safe_code(error)
    request_id = str(metadata.get('RequestId', ''))
    what = f'{code} (request {request_id})' if _REQUEST_ID.fullmatch(request_id) else code
    _logger.warning('S3: %s failed: %s', operation, what)
    if status >= 500 or status in _PASSING_STATUSES or code in _PASSING_CODES:
        return unavailable()
    return StorageRefused(f'The image storage (S3) refused: {what}')
