import secrets
import urllib.request
from http.client import HTTPException

from talelio_backend.app_asset.business.errors import StorageRefused
from talelio_backend.app_asset.business.ports import ImageStore, NewFile
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.diagnostics.business.checks import CheckFailed, Status

_NOBODY = 2**31 - 1
_READ_TIMEOUT = 4.0  # seconds


def check_store(store: ImageStore, *, remedy: str, publishes: bool) -> str:
    """Put a file there, get it and delete it. `publishes` tells whether the store serves its URLs itself."""
    # No user has this id. Should the file be left behind, a sweep takes it for an orphan.
    key = f'{_NOBODY}/images/{secrets.token_hex(32)}.png'
    content = secrets.token_bytes(1024)
    try:
        store.save([NewFile(key=key, content=content, media_type='image/png')])
        try:
            is_there = store.exists(key)
            # The sweep lists all files.
            next(store.list(), None)
            is_public = not publishes or _fetch(store.url(key)) == content
        finally:
            store.delete([key])
    except (StorageRefused, Unavailable) as error:
        cause = error.__cause__.strerror if isinstance(error.__cause__, OSError) else None
        raise CheckFailed(f'{store}: {cause or error.message}', remedy) from None
    if not is_there:
        raise CheckFailed(f'{store} does not return what was put there', remedy)
    if not is_public:
        raise CheckFailed(
            f'{store}: images cannot be read at their URLs',
            'Let everybody read the objects of the bucket, or set S3_BASE_URL to its CDN', Status.WARN
        )
    return f'{store}: put, got and deleted a file'


def _fetch(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=_READ_TIMEOUT) as response:
            content: bytes = response.read(2048)
            return content
    except (OSError, HTTPException, ValueError):
        return None
