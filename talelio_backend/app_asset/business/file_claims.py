"""Keeps the store and the rows in agreement, whatever fails between the two.

A file is stored first, under a name that no file had before, and claimed by a committed row last. What was
stored and then not claimed is taken back, and a name that was given up is never claimed again: so it does no
harm when the store carries out late what it was asked for. Claiming and giving up happen under the owner's
lock, and a claim is made only when the file is there.
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
        roll_back_upload(uow, store, user_id, stored.keys)
        raise


def check_stored(store: ImageStore, keys: Collection[str]) -> None:
    """To be called under the owner's lock, before a claim is committed.

    Raises Unavailable when another request has taken a file back meanwhile, or as the store does.
    """
    if not store.exists(*keys):
        raise being_deleted()


def being_deleted() -> Unavailable:
    return Unavailable('The picture was being deleted at the same time, please try again')


def free(uow: AssetUnitOfWork, store: ImageStore, user_id: int, keys: Sequence[str]) -> None:
    """Delete those of the user's files that no row claims. Raises StorageRefused or Unavailable."""
    names = {key: parsed[1] for key in keys if (parsed := parse_key(key))}
    if not names:
        return
    with uow:
        uow.images.lock(user_id)
        claimed = uow.images.claimed(user_id, set(names.values()))
        store.delete([key for key, name in names.items() if name not in claimed])
        uow.images.forget_deleted(user_id, set(names.values()))
        uow.commit()


def roll_back_upload(uow: AssetUnitOfWork, store: ImageStore, user_id: int, keys: Sequence[str]) -> None:
    """Free the files, or leave them to the sweep where even that fails."""
    try:
        free(uow, store, user_id, keys)
    except BusinessError as error:
        _logger.warning('%d files are left for `flask assets sweep`: %s', len(keys), error.message)
