from datetime import timedelta
from hashlib import sha256

import pytest

from talelio_backend.app_asset.business import avatar, services
from talelio_backend.app_asset.business.errors import InvalidImageType
from talelio_backend.app_asset.business.image import avatar_key
from talelio_backend.app_asset.business.ports import NewFile
from talelio_backend.app_user.business.user import User
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.business.identity import Identity
from tests.fakes.images import FakeImageStore
from tests.fakes.ports import FakeImageProcessor
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.image_files import uploaded
from tests.support.samples import NOW

LATER = NOW + timedelta(hours=1)


def stored_user(uow: FakeUnitOfWork, owner: Identity) -> User:
    return uow.store.accounts[owner.account_id].user


def test_an_avatar_is_one_file_and_its_url_the_users(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    user = avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW)

    key, = store.files
    assert key.startswith(f'{user.id}/images/{sha256(b"FACE").hexdigest()[:32]}')
    assert key.endswith('.webp')
    assert store.files[key].media_type == 'image/webp'
    assert stored_user(uow, owner).avatar_name == user.avatar_name
    assert avatar.avatar_url(store, user) == f'https://images.test/{key}'
    assert user.updated_at == NOW


def test_a_new_avatar_replaces_the_files_of_the_old(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW)
    user = avatar.set_avatar(uow, processor, store, owner, uploaded(b'another'), LATER)

    assert [file.content for file in store.files.values()] == [b'ANOTHER']
    assert user.updated_at == LATER


def test_the_same_avatar_again_keeps_its_file(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW)
    user = avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), LATER)

    assert user.updated_at == NOW
    assert [file.content for file in store.files.values()] == [b'FACE']


def test_an_avatar_under_a_name_of_an_earlier_release_is_that_one(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    name = sha256(b'FACE').hexdigest()
    stored_user(uow, owner).avatar_name = name
    key = avatar_key(stored_user(uow, owner).id, name)
    store.save([NewFile(key=key, content=b'FACE', media_type='image/webp')])

    user = avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW)

    assert (user.avatar_name, user.updated_at) == (name, None)
    assert set(store.files) == {key}


def test_an_avatar_whose_file_got_lost_is_mended_by_sending_it_again(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW)
    store.files.clear()

    user = avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), LATER)

    assert [store.url(key) for key in store.files] == [avatar.avatar_url(store, user)]


def test_an_avatar_that_comes_back_has_another_name(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    """The store may still delete the first one's file, if it was slow to do it."""
    first = avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW).avatar_name
    avatar.set_avatar(uow, processor, store, owner, uploaded(b'another'), NOW)

    assert avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW).avatar_name != first


def test_the_default_is_put_back_and_the_file_deleted(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW)

    user = avatar.reset_avatar(uow, store, owner, LATER)

    assert (avatar.avatar_url(store, user), user.updated_at) == ('default.jpg', LATER)
    assert stored_user(uow, owner).avatar_name is None
    assert store.files == {}


def test_to_put_the_default_back_twice_is_no_change(
    uow: FakeUnitOfWork, store: FakeImageStore, owner: Identity
) -> None:
    assert avatar.reset_avatar(uow, store, owner, NOW).updated_at is None


@pytest.mark.parametrize('failing', ['processor', 'store'])
def test_an_avatar_that_cannot_be_made_changes_nothing(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity, failing: str
) -> None:
    before = avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW)
    store.fail_at = 1

    with pytest.raises(InvalidImageType if failing == 'processor' else Unavailable) as caught:
        avatar.set_avatar(
            uow, processor, store, owner, uploaded(b'invalid' if failing == 'processor' else b'x'), LATER
        )

    assert [fault.path for fault in caught.value.faults] == ([(0, )] if failing == 'processor' else [])
    assert stored_user(uow, owner).avatar_name == before.avatar_name
    assert [file.content for file in store.files.values()] == [b'FACE']


def test_a_picture_of_an_earlier_release_that_is_also_the_avatar_keeps_its_file_when_it_is_deleted(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    """Then both were called by what they are."""
    image, = services.upload(uow, processor, store, owner, [uploaded(b'face')], NOW)
    user = stored_user(uow, owner)
    user.avatar_name = image.name

    services.delete_own(uow, store, owner, image.id, LATER)

    assert avatar.avatar_url(store, user).endswith(image.key)
    assert image.key in store.files
    assert not uow.store.images
