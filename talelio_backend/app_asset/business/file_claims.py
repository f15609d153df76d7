"""Keeps the store and the database consistent when either fails.

A request stores files under new names first and claims them by committing a row last. It deletes the files
that it could not claim, and their names are never used again, so a delayed delete in the store is harmless.
Claims and deletions take the owner's lock, and a claim requires that its files exist.
"""
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from talelio_backend.app_asset.business.image import parse_key
from talelio_backend.app_asset.business.ports import AssetUnitOfWork, ImageStore, NewFile
from talelio_backend.shared.business.errors import BusinessError, Unavailable

_logger = logging.getLogger(__name__)


class StoredFiles:
    """The files that a request has stored so far."""

    def __init__(self, store: ImageStore) -> None:
        self._store = store
        self.keys: list[str] = []

    def save(self, files: Sequence[NewFile]) -> None:
        """Raises StorageRefused or Unavailable."""
        # Recorded first: a save that fails may have stored some of the files.
        self.keys.extend(file.key for file in files)
        self._store.save(files)


@contextmanager
def storing(uow: AssetUnitOfWork, store: ImageStore, user_id: int) -> Iterator[StoredFiles]:
    """Delete unclaimed files if the block raises."""
    stored = StoredFiles(store)
    try:
        yield stored
    except BaseException:
        roll_back_upload(uow, store, user_id, stored.keys)
        raise


def check_stored(store: ImageStore, keys: Collection[str]) -> None:
    """Call this under the owner's lock before committing a claim.

    Raises Unavailable if another request has deleted a file, and the errors of the store.
    """
    if not store.exists(*keys):
        raise concurrent_deletion()


def concurrent_deletion() -> Unavailable:
    return Unavailable('The picture was being deleted at the same time, please try again')


def delete_unclaimed(uow: AssetUnitOfWork, store: ImageStore, user_id: int, keys: Sequence[str]) -> None:
    """Delete the files that no row of the user claims. Raises StorageRefused or Unavailable."""
    names = {key: parsed[1] for key in keys if (parsed := parse_key(key))}
    if not names:
        return
    with uow:
        uow.images.lock(user_id)
        claimed = uow.images.claimed(user_id, set(names.values()))
        store.delete([key for key, name in names.items() if name not in claimed])
        uow.images.purge_deleted(user_id, set(names.values()))
        uow.commit()


def roll_back_upload(uow: AssetUnitOfWork, store: ImageStore, user_id: int, keys: Sequence[str]) -> None:
    """Delete unclaimed files; leave them to the sweep if the store fails."""
    try:
        delete_unclaimed(uow, store, user_id, keys)
    except BusinessError as error:
        _logger.warning('Left %d files for `flask assets sweep`: %s', len(keys), error.message)
