"""Finds what a fault has left in the store, or taken from it."""
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from talelio_backend.app_asset.business.image import Image, parse_key
from talelio_backend.app_asset.business.ports import AssetUnitOfWork, ImageStore, StoredFile

# Rows read at a time.
_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Unclaimed:
    """Files of one user that no row claims."""

    user_id: int
    keys: list[str]
    # In bytes, of all together.
    size: int


def group_by_owner(files: Iterable[StoredFile], *, modified_before: datetime) -> dict[int, list[StoredFile]]:
    """Leave out what is not ours, and what may belong to a request that is still under way."""
    groups: dict[int, list[StoredFile]] = defaultdict(list)
    for file in files:
        parsed = parse_key(file.key)
        if parsed and file.modified_at < modified_before:
            groups[parsed[0]].append(file)
    return groups


def find_unclaimed(uow: AssetUnitOfWork, user_id: int, files: Iterable[StoredFile]) -> Unclaimed:
    digests = {file.key: parsed[1] for file in files if (parsed := parse_key(file.key))}
    with uow:
        claimed = uow.images.claimed(user_id, set(digests.values()))
    left = [file for file in files if digests[file.key] not in claimed]
    return Unclaimed(
        user_id=user_id,
        keys=[file.key for file in left],
        size=sum(file.size for file in left),
    )


def find_lost(uow: AssetUnitOfWork, store: ImageStore, stored_keys: set[str]) -> Iterator[Image]:
    """Yield the images whose file is not among the stored ones, nor has come since those were listed."""
    after = 0
    while True:
        with uow:
            images = uow.images.batch_after(after, _BATCH)
        if not images:
            return
        after = images[-1].id
        for image in images:
            if image.key not in stored_keys and not store.exists(image.key):
                yield image
