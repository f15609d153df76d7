from datetime import timedelta

import pytest

from talelio_backend.app_asset.business.ports import NewFile
from talelio_backend.app_asset.business.sweep import find_unclaimed, finish_deletions, group_by_owner
from talelio_backend.shared.business.identity import Identity
from tests.fakes.images import FakeImageStore
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import NOW, new_image

CLAIMED, LEFT = 'a' * 64, 'b' * 64


@pytest.fixture(name='user_id')
def fixture_user_id(uow: FakeUnitOfWork, store: FakeImageStore, owner: Identity) -> int:
    """Create a user with an image, and with the files of another one."""
    user_id = uow.store.accounts[owner.account_id].user.id
    store.now = NOW
    with uow:
        uow.images.add(new_image(user_id, CLAIMED))
        uow.commit()
    for name in CLAIMED, LEFT:
        store.save([NewFile(key=key, content=b'123', media_type='') for key in new_image(user_id, name).keys])
    return user_id


def test_unclaimed_files_are_found(uow: FakeUnitOfWork, store: FakeImageStore, user_id: int) -> None:
    groups = group_by_owner(store.list(), modified_before=NOW + timedelta(seconds=1))

    assert list(groups) == [user_id]
    unclaimed = find_unclaimed(uow, user_id, groups[user_id])
    assert sorted(file.key for file in unclaimed) == sorted(new_image(user_id, LEFT).keys)


def test_recent_files_are_ignored(store: FakeImageStore, user_id: int) -> None:
    assert user_id
    assert not group_by_owner(store.list(), modified_before=NOW)


def test_foreign_files_are_ignored(store: FakeImageStore) -> None:
    store.save([NewFile(key='backup/database.sql', content=b'', media_type='')])

    assert not group_by_owner(store.list(), modified_before=NOW + timedelta(days=365))


def test_an_interrupted_deletion_is_finished(
    uow: FakeUnitOfWork, store: FakeImageStore, user_id: int
) -> None:
    image, = uow.store.images.values()
    image.deleted_at = NOW

    finish_deletions(uow, store)

    assert not uow.store.images
    assert {file.key for file in store.list()} == set(new_image(user_id, LEFT).keys)
