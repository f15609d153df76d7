import logging
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import BinaryIO
from unittest.mock import Mock, call

import pytest

from talelio_backend.app_asset.business import image as image_module
from talelio_backend.app_asset.business import services
from talelio_backend.app_asset.business.errors import (
    ImageNotFound,
    ImageTooLarge,
    InvalidImageType,
    StorageRefused,
)
from talelio_backend.app_asset.business.file_claims import delete_unclaimed
from talelio_backend.app_asset.business.image import Image, ProcessedImage, parse_key
from talelio_backend.app_asset.business.ports import NewFile
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.errors import Fault, PreconditionFailed, Unavailable
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.business.pagination import PageRequest
from tests.fakes.images import FakeImageStore
from tests.fakes.ports import FakeImageProcessor
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.image_files import uploaded
from tests.support.samples import NOW, new_account

LATER = NOW + timedelta(hours=1)
EVERYTHING = PageRequest(limit=100)


@pytest.fixture(name='assets')
def fixture_assets(
    uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
) -> 'Assets':
    return Assets(uow, processor, store, owner)


class Assets:
    """Calls the services with fakes."""

    def __init__(
        self, uow: FakeUnitOfWork, processor: FakeImageProcessor, store: FakeImageStore, owner: Identity
    ) -> None:
        self.uow = uow
        self.processor = processor
        self.store = store
        self.owner = owner

    def upload(self, *contents: bytes) -> list[Image]:
        files = [uploaded(content, f'{number}.jpg') for number, content in enumerate(contents)]
        return services.upload(self.uow, self.processor, self.store, self.owner, files, NOW)

    def listed(self) -> list[int]:
        return [image.id for image in services.list_own(self.uow, self.owner, EVERYTHING).items]

    def delete(self, image: Image) -> None:
        services.delete_own(self.uow, self.store, self.owner, image.id, LATER)

    def is_empty(self) -> bool:
        return not self.store.files and not self.uow.store.images


def test_images_are_stored_in_the_order_sent(assets: Assets) -> None:
    images = assets.upload(b'one', b'two')

    user_id = assets.uow.store.accounts[assets.owner.account_id].user.id
    for image, content in zip(images, (b'ONE', b'TWO'), strict=True):
        assert image.key.startswith(f'{user_id}/images/{sha256(content).hexdigest()[:32]}')
        assert parse_key(image.key) == (user_id, image.name)
    assert {
        key: file.content
        for key, file in assets.store.files.items()
    } == {
        images[0].key: b'ONE',
        images[0].variant_key(320): b'ONE 320',
        images[0].variant_key(640): b'ONE 640',
        images[1].key: b'TWO',
        images[1].variant_key(320): b'TWO 320',
        images[1].variant_key(640): b'TWO 640',
    }
    assert {file.media_type for file in assets.store.files.values()} == {'image/webp'}
    assert (images[0].created_at, images[0].size) == (NOW, 3)
    assert assets.listed() == [images[1].id, images[0].id]


def test_an_upload_waits_as_its_owners(assets: Assets) -> None:
    assets.upload(b'one')

    assert assets.processor.account_id == assets.owner.account_id


def test_uploading_the_same_content_again_returns_the_same_image(assets: Assets) -> None:
    first, = assets.upload(b'one')
    images = assets.upload(b'one', b'two', b'one')

    assert [image.id for image in images] == [first.id, images[1].id, first.id]
    assert len(assets.uow.store.images) == 2
    assert set(assets.store.files) == {*first.keys, *images[1].keys}


def test_existing_files_are_not_stored_again(assets: Assets) -> None:
    image, = assets.upload(b'one')
    assets.store.fail_at = 1

    assert [again.id for again in assets.upload(b'one')] == [image.id]


def test_the_error_of_the_first_refused_file_lists_all_of_them(assets: Assets) -> None:
    with pytest.raises(ImageTooLarge) as caught:
        assets.upload(b'one', b'large', b'two', b'invalid')

    assert caught.value.faults == [
        Fault((1, ), '1.jpg: needs more time or memory than a picture may'),
        Fault((3, ), '3.jpg: not a JPEG, PNG, GIF, WebP, AVIF or HEIC picture'),
    ]
    assert assets.is_empty()


@pytest.mark.parametrize(('name', 'start'), [('', 'not a'), ('a' * 2_000, 'a' * 100 + ': not a')])
def test_long_file_names_are_cut_in_errors(assets: Assets, name: str, start: str) -> None:
    with pytest.raises(InvalidImageType) as caught:
        services.upload(
            assets.uow, assets.processor, assets.store, assets.owner, [uploaded(b'invalid', name)], NOW
        )

    assert caught.value.faults[0].reason.startswith(start)


def test_an_image_is_hashed_once(assets: Assets, monkeypatch: pytest.MonkeyPatch) -> None:
    hashing = Mock(side_effect=sha256)
    monkeypatch.setattr(image_module, 'sha256', hashing)
    assets.upload(b'one', b'two')

    assert hashing.call_args_list == [call(b'ONE'), call(b'TWO')]


def test_the_same_content_twice_in_one_request_is_one_image(assets: Assets) -> None:
    first, second = assets.upload(b'one', b'one')

    assert first.id == second.id
    assert set(assets.store.files) == set(first.keys)


def test_an_image_named_by_an_earlier_release_is_recognized(assets: Assets) -> None:
    image, = assets.upload(b'one')
    assets.upload(b'two')
    assets.store.files.clear()
    old = assets.uow.store.images[image.id]
    old.name = sha256(b'ONE').hexdigest()

    again, = assets.upload(b'one')

    assert (again.id, again.key) == (image.id, old.key)
    assert set(assets.store.files) == set(old.keys)


@pytest.mark.parametrize('lost', [0, 1, 2])
def test_uploading_an_image_again_restores_its_lost_files(assets: Assets, lost: int) -> None:
    image, = assets.upload(b'one')
    before = dict(assets.store.files)
    del assets.store.files[image.keys[lost]]

    again, = assets.upload(b'one')

    assert (again.id, again.keys) == (image.id, image.keys)
    assert assets.store.files == before


def test_uploading_no_file_is_an_invalid_type(assets: Assets) -> None:
    with pytest.raises(InvalidImageType, match='^One or more image files are of invalid type$'):
        assets.upload()


@pytest.mark.parametrize(
    ('bad', 'error', 'message'),
    [
        (b'invalid', InvalidImageType, 'One or more image files are of invalid type'),
        (b'large', ImageTooLarge, 'One or more image files are too large'),
    ],
)
def test_one_refused_file_stores_nothing(
    assets: Assets, bad: bytes, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f'^{message}$'):
        assets.upload(b'one', bad, b'two')

    assert assets.is_empty()


@pytest.mark.parametrize('failing_picture', [1, 2, 3])
@pytest.mark.parametrize('failing_file', [1, 2, 3])
def test_a_store_failure_at_any_file_stores_nothing(
    assets: Assets, failing_picture: int, failing_file: int
) -> None:
    store = assets.store

    class FailingLater(FakeImageProcessor):
        prepared = 0

        def prepare(self, file: BinaryIO, account_id: int | None = None) -> ProcessedImage:
            self.prepared += 1
            store.fail_at = failing_file if self.prepared == failing_picture else None
            return super().prepare(file, account_id)

    assets.processor = FailingLater()
    store.failure = StorageRefused('The storage says no')

    with pytest.raises(StorageRefused, match='The storage says no'):
        assets.upload(b'one', b'two', b'three')

    assert assets.is_empty()


def test_a_failed_request_keeps_the_files_of_existing_images(assets: Assets) -> None:
    image, = assets.upload(b'one')

    with pytest.raises(InvalidImageType):
        assets.upload(b'one', b'two', b'invalid')

    assert set(assets.store.files) == set(image.keys)
    assert assets.listed() == [image.id]


def test_a_file_deleted_before_the_claim_is_not_claimed(assets: Assets) -> None:
    """Another request for the same image may fail and delete the file at this moment."""

    class Vanishing(FakeImageStore):

        def exists(self, *keys: str) -> bool:
            return False

    assets.store = Vanishing()

    with pytest.raises(
        Unavailable, match='^The picture was being deleted at the same time, please try again$'
    ):
        assets.upload(b'one')

    assert assets.is_empty()


def test_a_failed_rollback_does_not_hide_the_error(assets: Assets, caplog: pytest.LogCaptureFixture) -> None:
    assets.store.fails_to_delete = True

    with pytest.raises(InvalidImageType), caplog.at_level(logging.WARNING):
        assets.upload(b'one', b'invalid')

    assert caplog.messages == [
        'Left 3 files for `flask assets sweep`: The image storage does not work just now'
    ]
    assert assets.store.files
    assert not assets.uow.store.images


def test_uploading_requires_an_account(assets: Assets) -> None:
    assets.owner = Identity(999)

    with pytest.raises(AccountGone):
        assets.upload(b'one')

    assert assets.is_empty()


def test_deleting_an_image_deletes_its_files(assets: Assets) -> None:
    gone, kept = assets.upload(b'one', b'two')

    assets.delete(gone)

    assert assets.listed() == [kept.id]
    assert set(assets.store.files) == set(kept.keys)
    with pytest.raises(ImageNotFound):
        assets.delete(gone)


def test_a_failed_deletion_can_be_repeated(assets: Assets) -> None:
    image, = assets.upload(b'one')
    assets.store.fails_to_delete = True
    with pytest.raises(Unavailable):
        assets.delete(image)

    assert assets.listed() == []
    with pytest.raises(ImageNotFound):
        services.show_own(assets.uow, assets.owner, image.id)

    assets.store.fails_to_delete = False
    assets.delete(image)

    assert assets.is_empty()


def test_an_upload_during_a_deletion_creates_a_new_image(assets: Assets) -> None:
    image, = assets.upload(b'one')
    assets.store.fails_to_delete = True
    with pytest.raises(Unavailable):
        assets.delete(image)
    assets.store.fails_to_delete = False

    again, = assets.upload(b'one')

    assert again.id != image.id
    assert assets.listed() == [again.id]
    # The rest of the deletion must not delete the new image.
    delete_unclaimed(assets.uow, assets.store, image.user_id, image.keys)
    assert set(assets.store.files) == set(again.keys)
    assert set(assets.uow.store.images) == {again.id}


def test_names_are_never_reused(assets: Assets) -> None:
    """The store may carry out an overdue deletion much later."""
    asked: list[str] = []

    class Noting(FakeImageStore):

        def delete(self, keys: Sequence[str]) -> None:
            asked.extend(keys)
            super().delete(keys)

    assets.store = Noting()
    with pytest.raises(InvalidImageType):
        assets.upload(b'one', b'invalid')
    for _ in range(3):
        image, = assets.upload(b'one')
        assets.delete(image)
    image, = assets.upload(b'one')

    assert len(set(asked)) == len(asked) == 4 * 3
    assets.store.delete(asked)
    assert set(assets.store.files) == set(image.keys)


def test_images_of_other_users_are_neither_shown_nor_deleted(assets: Assets) -> None:
    image, = assets.upload(b'one')
    other = new_account('other')
    with assets.uow as uow:
        uow.accounts.add(other)
        uow.commit()
    assets.owner = Identity(other.id)

    assert assets.listed() == []
    with pytest.raises(ImageNotFound, match=f'^You have no image {image.id}$'):
        services.show_own(assets.uow, assets.owner, image.id)
    with pytest.raises(ImageNotFound, match=f'^You have no image {image.id}$'):
        assets.delete(image)
    assert assets.uow.store.images[image.id].deleted_at is None


def test_an_image_is_shown_to_its_owner(assets: Assets) -> None:
    _, image, _ = assets.upload(b'one', b'two', b'three')

    assert services.show_own(assets.uow, assets.owner, image.id).name == image.name


def test_a_failed_precondition_deletes_nothing(assets: Assets) -> None:
    image, = assets.upload(b'one')
    seen = []

    def refuse(there: Image) -> None:
        seen.append(there.name)
        raise PreconditionFailed()

    with pytest.raises(PreconditionFailed):
        services.delete_own(assets.uow, assets.store, assets.owner, image.id, LATER, refuse)

    assert seen == [image.name]
    assert assets.listed() == [image.id]


def test_the_later_of_two_concurrent_uploads_deletes_its_files(assets: Assets) -> None:

    class Overtaken(FakeImageStore):
        first = True

        def save(self, files: Sequence[NewFile]) -> None:
            super().save(files)
            if self.first:
                self.first = False
                assets.upload(b'one')

    assets.store = Overtaken()

    image, = assets.upload(b'one')

    assert assets.listed() == [image.id]
    assert set(assets.store.files) == set(image.keys)
