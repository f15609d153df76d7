from talelio_backend.app_asset.business.image import Image, avatar_key
from talelio_backend.app_asset.business.image_urls import ResponsiveImage, find_images, is_own_image
from talelio_backend.shared.business.identity import Identity
from tests.fakes.images import FakeImageStore
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import NOW, new_image


def committed(uow: FakeUnitOfWork, image: Image) -> Image:
    with uow:
        uow.images.add(image)
        uow.commit()
    return image


def user_id(uow: FakeUnitOfWork, owner: Identity) -> int:
    return uow.store.accounts[owner.account_id].user.id


def test_an_image_is_found_with_its_variants(
    uow: FakeUnitOfWork, store: FakeImageStore, owner: Identity
) -> None:
    image = committed(uow, new_image(user_id(uow, owner)))
    url = store.url(image.key)

    assert find_images(uow, store, ['https://a.test/x.jpg', url]) == {
        url:
        ResponsiveImage(
            width=800,
            height=600,
            sources=[(store.url(image.variant_key(320)), 320), (store.url(image.variant_key(640)), 640),
                     (url, 800)]
        )
    }


def test_a_variant_is_found_with_narrower_ones(
    uow: FakeUnitOfWork, store: FakeImageStore, owner: Identity
) -> None:
    image = committed(uow, new_image(user_id(uow, owner)))
    url = store.url(image.variant_key(320))

    assert find_images(uow, store, [url]) == {
        url: ResponsiveImage(width=320, height=240, sources=[(url, 320)])
    }


def test_a_variant_of_a_very_flat_image_has_a_height(
    uow: FakeUnitOfWork, store: FakeImageStore, owner: Identity
) -> None:
    image = new_image(user_id(uow, owner))
    image.height = 1
    url = store.url(committed(uow, image).variant_key(320))

    assert find_images(uow, store, [url])[url].height == 1


def test_other_urls_are_not_found(uow: FakeUnitOfWork, store: FakeImageStore, owner: Identity) -> None:
    user = user_id(uow, owner)
    image = committed(uow, new_image(user, 'a' * 64))
    deleted = new_image(user, 'b' * 64)
    deleted.deleted_at = NOW
    committed(uow, deleted)
    keys = [
        image.variant_key(960), deleted.key,
        avatar_key(user, 'c' * 64),
        image.key.replace('.jpg', '.png'),
        image.key.replace(f'{user}/', f'{user + 1}/', 1), 'x'
    ]

    assert not find_images(uow, store, [store.url(key) for key in keys])
    assert not find_images(uow, store, [])


def test_only_urls_of_the_store_are_own_images(store: FakeImageStore) -> None:
    key = new_image(7).key

    assert is_own_image(store, store.url(key))
    assert is_own_image(store, store.url(new_image(7).variant_key(320)))
    for url in (store.url('x'), f'https://a.test/{key}', key, ''):
        assert not is_own_image(store, url)
