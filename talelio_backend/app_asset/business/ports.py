from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from talelio_backend.app_asset.business.image import Image, ProcessedImage
from talelio_backend.app_user.business.ports import UserUnitOfWork
from talelio_backend.shared.business.pagination import Page, PageRequest
from talelio_backend.shared.business.repository import Repository


class ImageProcessor(Protocol):
    """Re-encodes untrusted images for serving.

    Accounts take turns. Both methods raise InvalidImageType, ImageTooLarge or Unavailable.
    """

    def prepare(self, file: BinaryIO, account_id: int | None = None) -> ProcessedImage:
        """Re-encode an image with its orientation applied, and make its variants."""

    def prepare_avatar(self, file: BinaryIO, account_id: int | None = None) -> ProcessedImage:
        """Crop the centre to a WebP square of AVATAR_WIDTH, without variants."""


@dataclass(frozen=True, kw_only=True)
class UploadedFile:
    """A file of a request. Its name is only used in errors."""

    name: str
    content: BinaryIO


@dataclass(frozen=True, kw_only=True)
class NewFile:
    key: str
    content: bytes
    media_type: str


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    key: str
    # In bytes.
    size: int
    modified_at: datetime


class ImageStore(Protocol):
    """Stores public files by key.

    All methods but `url` raise StorageRefused or Unavailable.
    """

    def save(self, files: Sequence[NewFile]) -> None:
        """Store the files, the first one after all others."""

    def delete(self, keys: Sequence[str]) -> None:
        """Delete the files in this order; ignore missing ones."""

    def exists(self, *keys: str) -> bool:
        """Whether all files exist."""

    def list(self) -> Iterator[StoredFile]:
        """Yield all files in no particular order."""

    def url(self, key: str) -> str:
        ...

    def __str__(self) -> str:
        """Describe the location to the operator."""


class ImageRepository(Repository[Image, int], Protocol):

    def lock(self, user_id: int) -> None:
        """Lock the claims on the user's files until the transaction ends.

        Raises Unavailable if another transaction holds the lock for too long.
        """

    def get_of_user(self, user_id: int, image_id: int) -> Image | None:
        """Also return an image that is pending deletion."""

    def get_by_fingerprint(self, user_id: int, fingerprint: str) -> Image | None:
        """Ignore images that are pending deletion."""

    def with_names(self, wanted: Collection[tuple[int, str]]) -> Sequence[Image]:
        """Find images by user id and name, in no particular order, ignoring those pending deletion."""

    def page_of_user(self, user_id: int, page: PageRequest) -> Page[Image]:
        """Return a page, newest first, without images that are pending deletion."""

    def claimed(self, user_id: int, names: Collection[str]) -> set[str]:
        """Return the names that the user's avatar or images use, ignoring images pending deletion."""

    def keys_of_user(self, user_id: int) -> Sequence[str]:
        """Return the keys of all files of the user, including the avatar and images pending deletion."""

    def pending_deletion(self, limit: int) -> Sequence[Image]:
        """Return images of any user whose deletion is unfinished."""

    def purge_deleted(self, user_id: int, names: Collection[str]) -> None:
        """Remove the rows of images that are pending deletion."""


class AssetUnitOfWork(UserUnitOfWork, Protocol):

    @property
    def images(self) -> ImageRepository:
        ...
