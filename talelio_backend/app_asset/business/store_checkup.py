"""What the checks of all image stores share."""
import secrets
from collections.abc import Collection
from uuid import uuid4

from talelio_backend.shared.business.checkup import Finding, ok, warn

NAME = 'image storage'
READERS = f'{NAME} readers'
SPACE = f'{NAME} space'

# No picture has such a key, so the sweep leaves alone what lies there.
FOLDER = 'doctor'

# Bytes.
_CONTENT_SIZE = 64 * 1024
_LITTLE_SPACE = 1_000_000_000


def trial_file() -> tuple[str, bytes]:
    """A key that nothing else has, and content that cannot be there from before."""
    return f'{FOLDER}/{uuid4().hex}', secrets.token_bytes(_CONTENT_SIZE)


def judge_space(free: int) -> Finding:
    """`free` is in bytes."""
    found = f'{free / 1_000_000_000:.1f} GB free'
    if free < _LITTLE_SPACE:
        return warn(SPACE, found, 'Make room on that file system, or give it a larger one')
    return ok(SPACE, found)


def rights(operations: Collection[str], bucket: str) -> str:
    """In a policy's words.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    """
    of_files = [f's3:{operation}' for operation in operations if operation != 'ListBucket']
    phrases = [f'{", ".join(of_files)} on arn:aws:s3:::{bucket}/*'] if of_files else []
    if 'ListBucket' in operations:
        phrases.append(f's3:ListBucket on arn:aws:s3:::{bucket}')
    return ' and '.join(phrases)
