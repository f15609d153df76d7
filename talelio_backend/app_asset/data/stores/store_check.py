import secrets
import urllib.request
from http.client import HTTPException

from talelio_backend.app_asset.business.errors import StorageRefused
from talelio_backend.app_asset.business.ports import ImageStore, NewFile
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.diagnostics.business.checks import CheckFailed, Status

# No user has this id.
_NOBODY = 2**31 - 1
_READ_TIMEOUT = 4.0  # seconds


def check_store(store: ImageStore, *, remedy: str, publishes: bool) -> str:
    """Put, get and delete a file. `publishes` tells whether the store itself serves its URLs."""
    # If the file is left behind, a sweep finds that it is unclaimed.
    key = f'{_NOBODY}/images/{secrets.token_hex(32)}.png'
    content = secrets.token_bytes(1024)
    try:
        store.save([NewFile(key=key, content=content, media_type='image/png')])
        try:
            is_there = store.exists(key)
            # The sweep needs the permission to list files.
            next(store.list(), None)
            is_public = not publishes or _fetch(store.url(key)) == content
        finally:
            store.delete([key])
    except (StorageRefused, Unavailable) as error:
        cause = error.__cause__.strerror if isinstance(error.__cause__, OSError) else None
        raise CheckFailed(f'{store}: {cause or error.message}', remedy) from None
    if not is_there:
        raise CheckFailed(f'{store} does not return stored files', remedy)
    if not is_public:
        raise CheckFailed(
            f'{store}: images cannot be read at their URLs',
            'Make the objects of the bucket public, or set S3_BASE_URL to its CDN', Status.WARN
        )
    return f'{store}: put, got and deleted a file'


def _fetch(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=_READ_TIMEOUT) as response:
            return bytes(response.read(2048))
    except (OSError, HTTPException, ValueError):
        return None
