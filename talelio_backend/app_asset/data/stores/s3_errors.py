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

# The base classes of botocore's errors.
S3_FAILURES = (BotoCoreError, ClientError)

# Error texts may contain keys, buckets, hosts and signatures. Only error codes and request ids that match
# these patterns reach the client and the log.
_CODE = re.compile(r'[A-Za-z]{1,64}')
_REQUEST_ID = re.compile(r'[A-Za-z0-9/+=_-]{1,64}')

# S3 returns these codes with a 4xx status, although a retry may succeed.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_TRANSIENT_CODES = frozenset((
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
_TRANSIENT_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)

_logger = logging.getLogger(__name__)


def business_error(operation: str, error: Exception) -> BusinessError:
    """Log the failure and return the error to raise. Raise it `from None`, because causes are logged."""
    if isinstance(error, ClientError):
        return _from_response(operation, error)
    _logger.warning('S3: %s failed: %s', operation, type(error).__name__)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, ProfileNotFound)):
        return Unavailable('The image storage is not set up', retry_after=60)
    return _unavailable()


def _unavailable() -> Unavailable:
    return Unavailable('The image storage does not answer just now, please try again', retry_after=5)


def _from_response(operation: str, error: ClientError) -> BusinessError:
    metadata = error.response.get('ResponseMetadata', {})
    status = metadata.get('HTTPStatusCode', 0)
    code = str(error.response.get('Error', {}).get('Code', ''))
    # A response to HEAD has no body, hence no code.
    cause = code if _CODE.fullmatch(code) else f'status {status}'
    request_id = str(metadata.get('RequestId', ''))
    if _REQUEST_ID.fullmatch(request_id):
        cause += f' (request {request_id})'
    _logger.warning('S3: %s failed: %s', operation, cause)
    if status >= 500 or status in _TRANSIENT_STATUSES or code in _TRANSIENT_CODES:
        return _unavailable()
    return StorageRefused(f'The image storage (S3) refused: {cause}')
