"""Finds what interrupted requests have left behind."""
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from talelio_backend.app_asset.business.file_claims import delete_unclaimed
from talelio_backend.app_asset.business.image import parse_key
from talelio_backend.app_asset.business.ports import AssetUnitOfWork, ImageStore, StoredFile

# The number of rows to read at once.
_BATCH = 500


def group_by_owner(files: Iterable[StoredFile], *, modified_before: datetime) -> dict[int, list[StoredFile]]:
    """Ignore foreign keys, and recent files that may belong to an unfinished request."""
    groups: dict[int, list[StoredFile]] = defaultdict(list)
    for file in files:
        parsed = parse_key(file.key)
        if parsed and file.modified_at < modified_before:
            groups[parsed[0]].append(file)
    return groups


def find_unclaimed(uow: AssetUnitOfWork, user_id: int, files: Iterable[StoredFile]) -> list[StoredFile]:
    """Return the files of a user that no row claims."""
    names = {file.key: parsed[1] for file in files if (parsed := parse_key(file.key))}
    with uow:
        claimed = uow.images.claimed(user_id, set(names.values()))
    return [file for file in files if names[file.key] not in claimed]


def finish_deletions(uow: AssetUnitOfWork, store: ImageStore) -> None:
    """Finish interrupted deletions. Raises the errors of the store."""
    while True:
        with uow:
            images = uow.images.pending_deletion(_BATCH)
        if not images:
            return
        for image in images:
            delete_unclaimed(uow, store, image.user_id, image.keys)
