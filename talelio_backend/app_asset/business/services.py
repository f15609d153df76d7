from collections.abc import Callable, Sequence
from datetime import datetime

from talelio_backend.app_asset.business.errors import ImageNotFound, InvalidImageType, RefusedImage
from talelio_backend.app_asset.business.file_claims import (
    StoredFiles,
    check_stored,
    concurrent_deletion,
    delete_unclaimed,
    roll_back_upload,
    storing,
)
from talelio_backend.app_asset.business.image import Image, ImageKind, ProcessedImage
from talelio_backend.app_asset.business.ports import (
    AssetUnitOfWork,
    ImageProcessor,
    ImageStore,
    NewFile,
    UploadedFile,
)
from talelio_backend.app_user.business.services import find_own_user
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.business.pagination import Page, PageRequest


def upload(
    uow: AssetUnitOfWork,
    processor: ImageProcessor,
    store: ImageStore,
    owner: Identity,
    files: Sequence[UploadedFile],
    now: datetime,
) -> list[Image]:
    """Store all images or none, and return them in the same order.

    Content that the owner has uploaded before yields the existing image. Raises InvalidImageType (also if
    there are no files), AccountGone, and the errors of the processor and the store. The error of the first
    refused file lists all refused files.
    """
    if not files:
        raise InvalidImageType()
    with uow:
        user = find_own_user(uow.users, owner)
    with storing(uow, store, user.id) as stored:
        sent = []
        new: dict[str, Image] = {}
        refusals: dict[int, RefusedImage] = {}
        for place, file in enumerate(files):
            try:
                prepared = processor.prepare(file.content, owner.account_id)
            except RefusedImage as error:
                refusals[place] = error
            if refusals:
                # Only check the remaining files, to report all faults at once.
                continue
            sent.append(prepared.fingerprint)
            if prepared.fingerprint not in new and not _is_stored(uow, store, stored, user.id, prepared):
                new[prepared.fingerprint] = Image.of(user.id, prepared, now)
                stored.save(_files(new[prepared.fingerprint], prepared))
        if refusals:
            refusal = next(iter(refusals.values()))
            refusal.faults = [error.fault(place, files[place].name) for place, error in refusals.items()]
            raise refusal
        with uow:
            uow.images.lock(user.id)
            kept = [_keep(uow, user.id, fingerprint, new.get(fingerprint)) for fingerprint in sent]
            keys = {key for image in kept for key in image.keys}
            check_stored(store, keys)
            uow.commit(kept)
    # A concurrent request may have stored the same image first.
    roll_back_upload(uow, store, user.id, [key for key in stored.keys if key not in keys])
    return kept


def _is_stored(
    uow: AssetUnitOfWork, store: ImageStore, stored: StoredFiles, user_id: int, prepared: ProcessedImage
) -> bool:
    """Whether the owner has the image already; restores its files if any is lost."""
    with uow:
        image = uow.images.get_by_fingerprint(user_id, prepared.fingerprint)
    if image is None:
        return False
    if not store.exists(*image.keys):
        stored.save(_files(image, prepared))
    return True


def _files(image: Image, prepared: ProcessedImage) -> list[NewFile]:
    original = NewFile(key=image.key, content=prepared.content, media_type=image.kind.value)
    variants = [
        NewFile(
            key=image.variant_key(variant.width),
            content=variant.content,
            media_type=ImageKind.WEBP.value,
        ) for variant in prepared.variants
    ]
    return [original, *variants]


def _keep(uow: AssetUnitOfWork, user_id: int, fingerprint: str, new: Image | None) -> Image:
    """Raises Unavailable if the existing image has been deleted meanwhile."""
    existing = uow.images.get_by_fingerprint(user_id, fingerprint)
    if existing is not None:
        return existing
    if new is None:
        raise concurrent_deletion()
    uow.images.add(new)
    return new


def list_own(uow: AssetUnitOfWork, owner: Identity, page: PageRequest) -> Page[Image]:
    """Return a page of the owner's images, newest first. Raises AccountGone."""
    with uow:
        user = find_own_user(uow.users, owner)
        return uow.images.page_of_user(user.id, page)


def show_own(uow: AssetUnitOfWork, owner: Identity, image_id: int) -> Image:
    """Raises ImageNotFound or AccountGone."""
    with uow:
        user = find_own_user(uow.users, owner)
        image = uow.images.get_of_user(user.id, image_id)
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
    """Delete an image and its files.

    If the store fails, the image is no longer listed, but its row stays so that another call or the sweep
    can finish the deletion. Raises ImageNotFound, AccountGone, and the errors of the precondition and the
    store.
    """
    with uow:
        user = find_own_user(uow.users, owner)
        uow.images.lock(user.id)
        image = uow.images.get_of_user(user.id, image_id)
        if image is None:
            raise ImageNotFound(image_id)
        if precondition is not None:
            precondition(image)
        image.deleted_at = image.deleted_at or now
        uow.commit()
    delete_unclaimed(uow, store, user.id, image.keys)
