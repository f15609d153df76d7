from collections.abc import Callable, Sequence
from datetime import datetime

from talelio_backend.app_asset.business.errors import ImageNotFound, InvalidImageType, RefusedImage
from talelio_backend.app_asset.business.file_claims import (
    StoredFiles,
    being_deleted,
    check_stored,
    free,
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
    """Store all the pictures, or none, and return them in the same order.

    A picture that the owner has already is that one. Raises InvalidImageType, also for no file at all,
    AccountGone, and what the processor and the store raise. An error about pictures is the first one's, and
    names all that are refused.
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
                prepared = processor.prepare(file.content)
            except RefusedImage as error:
                refusals[place] = error
            if refusals:
                # Nothing will be stored, but the other files' faults are of interest, too.
                continue
            sent.append(prepared.fingerprint)
            if prepared.fingerprint not in new and not _is_there(uow, store, stored, user.id, prepared):
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
    # Another request for the same picture came first.
    roll_back_upload(uow, store, user.id, [key for key in stored.keys if key not in keys])
    return kept


def _is_there(
    uow: AssetUnitOfWork, store: ImageStore, stored: StoredFiles, user_id: int, prepared: ProcessedImage
) -> bool:
    """Whether the owner has the picture already; files of it that got lost are stored anew."""
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
    """Raises Unavailable for a picture that was there, and is no more."""
    there = uow.images.get_by_fingerprint(user_id, fingerprint)
    if there is not None:
        return there
    if new is None:
        raise being_deleted()
    uow.images.add(new)
    return new


def list_own(uow: AssetUnitOfWork, owner: Identity, page: PageRequest) -> Page[Image]:
    """Return a page of the owner's pictures, newest first. Raises AccountGone."""
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
    """Delete a picture and its files.

    When the store fails, the picture is out of the list but its row stays, so that the same call, or the
    sweep, can finish the work. Raises ImageNotFound, AccountGone, and what the precondition and the store
    raise.
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
    free(uow, store, user.id, image.keys)
