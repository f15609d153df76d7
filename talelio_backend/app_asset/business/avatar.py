from datetime import datetime

from talelio_backend.app_asset.business.errors import RefusedImage
from talelio_backend.app_asset.business.file_claims import (
    check_stored,
    concurrent_deletion,
    roll_back_upload,
    storing,
)
from talelio_backend.app_asset.business.image import ImageKind, ProcessedImage, avatar_key, fingerprint
from talelio_backend.app_asset.business.ports import (
    AssetUnitOfWork,
    ImageProcessor,
    ImageStore,
    NewFile,
    UploadedFile,
)
from talelio_backend.app_user.business.services import find_own_user
from talelio_backend.app_user.business.user import DEFAULT_AVATAR_URL, User
from talelio_backend.shared.business.identity import Identity


def set_avatar(
    uow: AssetUnitOfWork,
    processor: ImageProcessor,
    store: ImageStore,
    owner: Identity,
    file: UploadedFile,
    now: datetime,
) -> User:
    """Raises AccountGone, and the errors of the processor and the store."""
    with uow:
        user = find_own_user(uow.users, owner)
    with storing(uow, store, user.id) as stored:
        try:
            prepared = processor.prepare_avatar(file.content, owner.account_id)
        except RefusedImage as error:
            error.faults = [error.fault(0, file.name)]
            raise
        name = user.avatar_name
        if name is None or not _is_stored(store, user.id, name, prepared):
            name = prepared.new_name()
            key = avatar_key(user.id, name)
            stored.save([NewFile(key=key, content=prepared.content, media_type=ImageKind.WEBP.value)])
        with uow:
            uow.images.lock(user.id)
            user = find_own_user(uow.users, owner)
            if not stored.keys and user.avatar_name != name:
                raise concurrent_deletion()
            replaced = _avatar_keys(user)
            check_stored(store, [avatar_key(user.id, name)])
            user.set_avatar(name, now)
            uow.commit()
    roll_back_upload(uow, store, user.id, replaced)
    return user


def _is_stored(store: ImageStore, user_id: int, name: str, prepared: ProcessedImage) -> bool:
    return fingerprint(name) == prepared.fingerprint and store.exists(avatar_key(user_id, name))


def reset_avatar(uow: AssetUnitOfWork, store: ImageStore, owner: Identity, now: datetime) -> User:
    """Raises AccountGone."""
    with uow:
        user = find_own_user(uow.users, owner)
    with uow:
        uow.images.lock(user.id)
        # Read again under the lock: another request may have set an avatar.
        user = find_own_user(uow.users, owner)
        replaced = _avatar_keys(user)
        user.set_avatar(None, now)
        uow.commit()
    roll_back_upload(uow, store, user.id, replaced)
    return user


def avatar_url(store: ImageStore, user: User) -> str:
    return store.url(avatar_key(user.id, user.avatar_name)) if user.avatar_name else DEFAULT_AVATAR_URL


def _avatar_keys(user: User) -> list[str]:
    return [avatar_key(user.id, user.avatar_name)] if user.avatar_name else []
