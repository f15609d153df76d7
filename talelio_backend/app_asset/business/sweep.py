"""Finds what a fault has left in the store, or taken from it."""
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from talelio_backend.app_asset.business.file_claims import free
from talelio_backend.app_asset.business.image import Image, parse_key
from talelio_backend.app_asset.business.ports import AssetUnitOfWork, ImageStore, StoredFile

# Rows read at a time.
_BATCH = 500


def group_by_owner(files: Iterable[StoredFile], *, modified_before: datetime) -> dict[int, list[StoredFile]]:
    """Leave out what is not ours, and what may belong to a request that is still under way."""
    groups: dict[int, list[StoredFile]] = defaultdict(list)
    for file in files:
        parsed = parse_key(file.key)
        if parsed and file.modified_at < modified_before:
            groups[parsed[0]].append(file)
    return groups


def find_unclaimed(uow: AssetUnitOfWork, user_id: int, files: Iterable[StoredFile]) -> list[StoredFile]:
    """Return those of a user's files that no row claims."""
    names = {file.key: parsed[1] for file in files if (parsed := parse_key(file.key))}
    with uow:
        claimed = uow.images.claimed(user_id, set(names.values()))
    return [file for file in files if names[file.key] not in claimed]


def finish_deletions(uow: AssetUnitOfWork, store: ImageStore) -> None:
    """Do what is left of the deletions that a fault broke off. Raises what the store raises."""
    while images := _being_deleted(uow):
        for image in images:
            free(uow, store, image.user_id, image.keys)


def _being_deleted(uow: AssetUnitOfWork) -> Sequence[Image]:
    with uow:
        return uow.images.being_deleted(_BATCH)


def find_lost(uow: AssetUnitOfWork, store: ImageStore, stored_keys: set[str]) -> Iterator[Image]:
    """Yield the images of which a file is not among the stored ones, nor has come since those were listed."""
    after = 0
    while True:
        with uow:
            images = uow.images.batch_after(after, _BATCH)
        if not images:
            return
        after = images[-1].id
        for image in images:
            missing = [key for key in image.keys if key not in stored_keys]
            if missing and not store.exists(*missing):
                yield image
