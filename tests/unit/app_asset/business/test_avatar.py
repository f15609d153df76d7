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


def test_an_avatar_is_stored_as_one_file_with_the_users_url(
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


def test_a_new_avatar_replaces_the_old_file(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW)
    user = avatar.set_avatar(uow, processor, store, owner, uploaded(b'another'), LATER)

    assert [file.content for file in store.files.values()] == [b'ANOTHER']
    assert user.updated_at == LATER


def test_uploading_the_same_avatar_again_keeps_its_file(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW)
    user = avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), LATER)

    assert user.updated_at == NOW
    assert [file.content for file in store.files.values()] == [b'FACE']


def test_an_avatar_named_by_an_earlier_release_is_recognized(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    name = sha256(b'FACE').hexdigest()
    stored_user(uow, owner).avatar_name = name
    key = avatar_key(stored_user(uow, owner).id, name)
    store.save([NewFile(key=key, content=b'FACE', media_type='image/webp')])

    user = avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW)

    assert (user.avatar_name, user.updated_at) == (name, None)
    assert set(store.files) == {key}


def test_uploading_an_avatar_again_restores_its_lost_file(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW)
    store.files.clear()

    user = avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), LATER)

    assert [store.url(key) for key in store.files] == [avatar.avatar_url(store, user)]


def test_an_avatar_uploaded_again_after_another_gets_a_new_name(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    """The store may still be deleting the file of the first upload."""
    first = avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW).avatar_name
    avatar.set_avatar(uow, processor, store, owner, uploaded(b'another'), NOW)

    assert avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW).avatar_name != first


def test_resetting_the_avatar_deletes_its_file(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    avatar.set_avatar(uow, processor, store, owner, uploaded(b'face'), NOW)

    user = avatar.reset_avatar(uow, store, owner, LATER)

    assert (avatar.avatar_url(store, user), user.updated_at) == ('default.jpg', LATER)
    assert stored_user(uow, owner).avatar_name is None
    assert store.files == {}


def test_resetting_the_avatar_twice_changes_nothing(
    uow: FakeUnitOfWork, store: FakeImageStore, owner: Identity
) -> None:
    assert avatar.reset_avatar(uow, store, owner, NOW).updated_at is None


@pytest.mark.parametrize('failing', ['processor', 'store'])
def test_a_failed_avatar_changes_nothing(
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


def test_deleting_an_image_of_an_earlier_release_keeps_the_file_that_the_avatar_shares(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> None:
    """Earlier releases named both by their content."""
    image, = services.upload(uow, processor, store, owner, [uploaded(b'face')], NOW)
    user = stored_user(uow, owner)
    user.avatar_name = image.name

    services.delete_own(uow, store, owner, image.id, LATER)

    assert avatar.avatar_url(store, user).endswith(image.key)
    assert image.key in store.files
    assert not uow.store.images
