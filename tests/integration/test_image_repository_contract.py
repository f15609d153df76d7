"""What the port of the image repository promises, shown on the real one and on the fake alike."""
from dataclasses import fields
from hashlib import sha256

import pytest

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_asset.business.image import Image, avatar_key, fingerprint
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.pagination import PageRequest
from tests.support.backings import Backing, committed_account
from tests.support.samples import NOW, new_image

EVERYTHING = PageRequest(limit=100)


def name(number: int, upload: int = 0) -> str:
    """Of the picture of that number."""
    return f'{number:032x}{upload:032x}'


def committed_images(backing: Backing, owner: Account, *numbers: int) -> list[Image]:
    images = [new_image(owner.user.id, name(number)) for number in numbers]
    with backing.unit_of_work() as uow:
        for image in images:
            uow.images.add(image)
        uow.commit()
    return images


def mark_deleted(backing: Backing, image: Image) -> None:
    with backing.unit_of_work() as uow:
        found = uow.images.get_of_user(image.user_id, image.id)
        assert found is not None
        found.deleted_at = NOW
        uow.commit()


def values(image: Image | None) -> dict[str, object]:
    assert image is not None
    return {each.name: getattr(image, each.name) for each in fields(Image)}


def test_an_image_comes_back_as_it_was_stored(backing: Backing) -> None:
    owner = committed_account(backing)
    image = committed_images(backing, owner, 1)[0]

    with backing.unit_of_work() as uow:
        assert values(uow.images.get_of_user(owner.user.id, image.id)) == values(image)
        assert values(uow.images.get_by_fingerprint(owner.user.id, fingerprint(name(1)))) == values(image)


def test_an_image_is_found_for_its_owner_alone(backing: Backing) -> None:
    owner = committed_account(backing)
    other = committed_account(backing, 'other')
    image = committed_images(backing, owner, 1)[0]

    with backing.unit_of_work() as uow:
        assert uow.images.get_of_user(other.user.id, image.id) is None
        assert uow.images.get_by_fingerprint(other.user.id, fingerprint(name(1))) is None
        assert uow.images.page_of_user(other.user.id, EVERYTHING).items == []
        assert uow.images.claimed(other.user.id, {name(1)}) == set()


def test_two_users_can_have_the_same_picture(backing: Backing) -> None:
    for username in ('one', 'two'):
        owner = committed_account(backing, username)
        committed_images(backing, owner, 1)
        with backing.unit_of_work() as uow:
            assert uow.images.claimed(owner.user.id, {name(1)}) == {name(1)}


def test_a_picture_that_was_deleted_and_sent_again_is_the_new_one(backing: Backing) -> None:
    owner = committed_account(backing)
    mark_deleted(backing, committed_images(backing, owner, 1)[0])
    again = new_image(owner.user.id, name(1, upload=2))
    with backing.unit_of_work() as uow:
        uow.images.add(again)
        uow.commit()

    with backing.unit_of_work() as uow:
        assert values(uow.images.get_by_fingerprint(owner.user.id, fingerprint(name(1)))) == values(again)
        assert uow.images.claimed(owner.user.id, {name(1), again.name}) == {again.name}
        assert [image.name for image in uow.images.with_names([(owner.user.id, again.name)])] == [again.name]


def test_a_picture_is_found_by_what_it_is_also_under_a_name_of_an_earlier_release(backing: Backing) -> None:
    owner = committed_account(backing)
    old = new_image(owner.user.id, sha256(b'content').hexdigest())
    with backing.unit_of_work() as uow:
        uow.images.add(old)
        uow.commit()

    with backing.unit_of_work() as uow:
        found = uow.images.get_by_fingerprint(owner.user.id, fingerprint(sha256(b'content').hexdigest()))
        assert values(found) == values(old)


def test_images_come_newest_first_and_in_pages(backing: Backing) -> None:
    owner = committed_account(backing)
    ids = [image.id for image in committed_images(backing, owner, 1, 2, 3)]

    with backing.unit_of_work() as uow:
        first = uow.images.page_of_user(owner.user.id, PageRequest(limit=2))
        second = uow.images.page_of_user(owner.user.id, PageRequest(limit=2, before=first.next_before))

    assert [image.id for image in first.items] == [ids[2], ids[1]]
    assert [image.id for image in second.items] == [ids[0]]
    assert second.next_before is None


def test_an_image_pending_deletion_is_found_only_by_id(backing: Backing) -> None:
    owner = committed_account(backing)
    image = committed_images(backing, owner, 1)[0]

    mark_deleted(backing, image)

    with backing.unit_of_work() as uow:
        assert uow.images.get_of_user(owner.user.id, image.id) is not None
        assert uow.images.get_by_fingerprint(owner.user.id, fingerprint(name(1))) is None
        assert uow.images.page_of_user(owner.user.id, EVERYTHING).items == []
        assert uow.images.claimed(owner.user.id, {name(1)}) == set()
        assert [each.id for each in uow.images.pending_deletion(10)] == [image.id]


def test_only_those_names_are_claimed_that_are_asked_for(backing: Backing) -> None:
    owner = committed_account(backing)
    committed_images(backing, owner, 1, 2)

    with backing.unit_of_work() as uow:
        assert uow.images.claimed(owner.user.id, {name(1), name(9)}) == {name(1)}
        assert uow.images.claimed(owner.user.id, set()) == set()


def test_the_file_of_an_avatar_is_claimed(backing: Backing) -> None:
    owner = committed_account(backing)
    with backing.unit_of_work() as uow:
        user = uow.users.get_by_account(owner.id)
        assert user is not None
        user.set_avatar(name(5), NOW)
        uow.commit()

    with backing.unit_of_work() as uow:
        assert uow.images.claimed(owner.user.id, {name(5), name(6)}) == {name(5)}


def test_only_images_pending_deletion_are_purged(backing: Backing) -> None:
    owner = committed_account(backing)
    gone, other_gone, kept = committed_images(backing, owner, 1, 2, 3)
    mark_deleted(backing, gone)
    mark_deleted(backing, other_gone)

    with backing.unit_of_work() as uow:
        uow.images.purge_deleted(owner.user.id, {name(1), name(3)})
        uow.commit()

    with backing.unit_of_work() as uow:
        found = [uow.images.get_of_user(owner.user.id, image.id) for image in (gone, other_gone, kept)]
    assert [image is not None for image in found] == [False, True, True]


def test_nobody_can_own_an_image_who_is_not_there(backing: Backing) -> None:
    owner = committed_account(backing)
    backing.delete_account(owner.id)

    with pytest.raises(AccountGone), backing.unit_of_work() as uow:
        uow.images.add(new_image(owner.user.id))


def test_the_images_go_with_the_account(backing: Backing) -> None:
    owner = committed_account(backing)
    image, = committed_images(backing, owner, 1)

    backing.delete_account(owner.id)

    with backing.unit_of_work() as uow:
        assert uow.images.get_of_user(owner.user.id, image.id) is None


def keys_of_user(backing: Backing, owner: Account) -> list[str]:
    with backing.unit_of_work() as uow:
        return sorted(uow.images.keys_of_user(owner.user.id))


def test_the_files_of_a_user_are_those_of_all_images_and_of_the_avatar(backing: Backing) -> None:
    owner, other = committed_account(backing), committed_account(backing, 'other')
    images = committed_images(backing, owner, 1, 2)
    others = committed_images(backing, other, 1)
    # Half deleted: its files may be there still.
    mark_deleted(backing, images[1])
    of_images = [key for image in images for key in image.keys]

    assert keys_of_user(backing, owner) == sorted(of_images)
    with backing.unit_of_work() as uow:
        user = uow.users.get_by_account(owner.id)
        assert user is not None
        user.set_avatar(name(5), NOW)
        uow.commit()

    assert keys_of_user(backing, owner) == sorted([*of_images, avatar_key(owner.user.id, name(5))])
    assert keys_of_user(backing, other) == sorted(others[0].keys)


def test_who_has_no_picture_has_no_files(backing: Backing) -> None:
    assert keys_of_user(backing, committed_account(backing)) == []


def test_images_are_found_by_owner_and_name_together(backing: Backing) -> None:
    owner, other = committed_account(backing), committed_account(backing, 'other')
    committed_images(backing, owner, 1, 2)
    mark_deleted(backing, committed_images(backing, owner, 3)[0])
    committed_images(backing, other, 2, 4)
    wanted = {(owner.user.id, name(1)), (owner.user.id, name(3)), (owner.user.id, name(4)),
              (other.user.id, name(2))}

    with backing.unit_of_work() as uow:
        found = {(image.user_id, image.name) for image in uow.images.with_names(wanted)}
        assert found == {(owner.user.id, name(1)), (other.user.id, name(2))}
        assert not uow.images.with_names(set())
