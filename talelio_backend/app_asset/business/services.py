from collections.abc import Callable, Sequence
from datetime import datetime
from typing import BinaryIO

from talelio_backend.app_asset.business.errors import ImageNotFound, InvalidImageType
from talelio_backend.app_asset.business.files import check_stored, free, storing
from talelio_backend.app_asset.business.image import Image, ImageKind, PreparedImage
from talelio_backend.app_asset.business.ports import AssetUnitOfWork, ImageProcessor, ImageStore, NewFile
from talelio_backend.app_user.business.services import find_own_user
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.business.page import Page, PageRequest


def upload(
    uow: AssetUnitOfWork,
    processor: ImageProcessor,
    store: ImageStore,
    owner: Identity,
    files: Sequence[BinaryIO],
    now: datetime,
) -> list[Image]:
    """Store all the pictures, or none, and return them in the same order.

    A picture that the owner has already is that one. Raises InvalidImageType, also for no file at all,
    AccountGone, and what the processor and the store raise.
    """
    if not files:
        raise InvalidImageType()
    with uow:
        user = find_own_user(uow.users, owner)
    with storing(uow, store, user.id) as stored:
        images = []
        for file in files:
            prepared = processor.prepare(file)
            images.append(Image.of(user.id, prepared, now))
            stored.save(_new_files(images[-1], prepared))
        with uow:
            uow.images.lock(user.id)
            kept = [_keep(uow, image) for image in images]
            check_stored(store, {key for image in kept for key in image.keys})
            uow.commit(kept)
    return kept


def _new_files(image: Image, prepared: PreparedImage) -> list[NewFile]:
    original = NewFile(key=image.key, content=prepared.content, media_type=image.kind.value)
    variants = [
        NewFile(
            key=image.variant_key(variant.width),
            content=variant.content,
            media_type=ImageKind.WEBP.value,
        ) for variant in prepared.variants
    ]
    return [original, *variants]


def _keep(uow: AssetUnitOfWork, image: Image) -> Image:
    there = uow.images.get_by_digest(image.user_id, image.digest)
    if there is None:
        uow.images.add(image)
        return image
    there.deleted_at = None
    return there


def list_own(uow: AssetUnitOfWork, owner: Identity, page: PageRequest) -> Page[Image]:
    """Return a page of the owner's pictures, newest first. Raises AccountGone."""
    with uow:
        user = find_own_user(uow.users, owner)
        return uow.images.page_of_user(user.id, page)


def show_own(uow: AssetUnitOfWork, owner: Identity, image_id: int) -> Image:
    """Raises ImageNotFound or AccountGone."""
    with uow:
        user = find_own_user(uow.users, owner)
        image = uow.images.get(user.id, image_id)
    if image is None or image.deleted_at is not None:
        raise ImageNotFound(image_id)
    return image


def delete_own(
    uow: AssetUnitOfWork,
    store: ImageStore,
    owner: Identity,
    image_id: int,
    now: datetime,
    precondition: Callable[[Image], None] | None = None,
) -> None:
    """Delete a picture and its files.

    When the store fails, the picture is out of the list but its row stays, so that the same call, or the
    sweep, can finish the work. Raises ImageNotFound, AccountGone, and what the precondition and the store
    raise.
    """
    with uow:
        user = find_own_user(uow.users, owner)
        uow.images.lock(user.id)
        image = uow.images.get(user.id, image_id)
        if image is None:
            raise ImageNotFound(image_id)
        if precondition is not None:
            precondition(image)
        image.deleted_at = image.deleted_at or now
        uow.commit()
    free(uow, store, user.id, image.keys)
