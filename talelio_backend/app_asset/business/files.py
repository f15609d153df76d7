"""Keeps the store and the rows in agreement, whatever fails between the two.

A file is stored first and claimed by a committed row last. What was stored and then not claimed is taken
back. Both the claim and the taking back happen under the owner's lock, and the claim is made only when
the file is still there: so of two requests that store the same picture, one of which fails, neither can
take away what the other answered for.
"""
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from talelio_backend.app_asset.business.image import parse_key
from talelio_backend.app_asset.business.ports import AssetUnitOfWork, ImageStore, NewFile
from talelio_backend.shared.business.errors import BusinessError, Unavailable

_logger = logging.getLogger(__name__)


class StoredFiles:
    """What one request has stored so far."""

    def __init__(self, store: ImageStore) -> None:
        self._store = store
        self.keys: list[str] = []

    def save(self, files: Sequence[NewFile]) -> None:
        """Raises StorageRefused or Unavailable."""
        # Noted first: of what fails, a part may have been stored.
        self.keys.extend(file.key for file in files)
        self._store.save(files)


@contextmanager
def storing(uow: AssetUnitOfWork, store: ImageStore, user_id: int) -> Iterator[StoredFiles]:
    """Take back what was stored and not claimed when the block ends in an error."""
    stored = StoredFiles(store)
    try:
        yield stored
    except BaseException:
        take_back(uow, store, user_id, stored.keys)
        raise


def check_stored(store: ImageStore, keys: Collection[str]) -> None:
    """To be called under the owner's lock, before a claim is committed.

    Raises Unavailable when another request has taken a file back meanwhile, or as the store does.
    """
    if not store.exists(*keys):
        raise Unavailable('The picture was being deleted at the same time, please try again')


def free(uow: AssetUnitOfWork, store: ImageStore, user_id: int, keys: Sequence[str]) -> None:
    """Delete those of the user's files that no row claims. Raises StorageRefused or Unavailable."""
    digests = {key: parsed[1] for key in keys if (parsed := parse_key(key))}
    if not digests:
        return
    with uow:
        uow.images.lock(user_id)
        claimed = uow.images.claimed(user_id, set(digests.values()))
        store.delete([key for key, digest in digests.items() if digest not in claimed])
        uow.images.forget_deleted(user_id, set(digests.values()))
        uow.commit()


def take_back(uow: AssetUnitOfWork, store: ImageStore, user_id: int, keys: Sequence[str]) -> None:
    """Free the files, or leave them to the sweep where even that fails."""
    try:
        free(uow, store, user_id, keys)
    except BusinessError as error:
        _logger.warning('%d files are left for `flask assets sweep`: %s', len(keys), error.message)
