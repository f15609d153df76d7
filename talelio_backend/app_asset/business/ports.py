from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from talelio_backend.app_asset.business.image import Image, ProcessedImage
from talelio_backend.app_user.business.ports import UserRepository
from talelio_backend.shared.business.pagination import Page, PageRequest
from talelio_backend.shared.business.unit_of_work import UnitOfWork


class ImageProcessor(Protocol):
    """Makes pictures safe and fit to serve.

    Both methods raise InvalidImageType, ImageTooLarge or Unavailable.
    """

    def prepare(self, file: BinaryIO) -> ProcessedImage:
        """Make the picture anew, upright, with its variants."""

    def prepare_avatar(self, file: BinaryIO) -> ProcessedImage:
        """Make a square of AVATAR_WIDTH from the middle of the picture, as WebP, without variants."""


@dataclass(frozen=True, kw_only=True)
class UploadedFile:
    """A file as it was sent. Its name is used in errors alone."""

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
    """Keeps files under keys, for everybody to read.

    All methods but `url` raise StorageRefused or Unavailable.
    """

    def save(self, files: Sequence[NewFile]) -> None:
        """Store the files, the first one when all others are there."""

    def delete(self, keys: Sequence[str]) -> None:
        """Delete the files in this order; one that is not there is no error."""

    def exists(self, *keys: str) -> bool:
        """Whether all of them are there."""

    def list(self) -> Iterator[StoredFile]:
        """In no order that could be relied upon."""

    def url(self, key: str) -> str:
        ...

    def __str__(self) -> str:
        """Where it is, in words for the operator."""


class ImageRepository(Protocol):

    def lock(self, user_id: int) -> None:
        """Let nobody else change which of the user's files are claimed, until the transaction ends.

        Raises Unavailable when others keep it too long.
        """

    def add(self, image: Image) -> None:
        ...

    def get_of_user(self, user_id: int, image_id: int) -> Image | None:
        """Also one that is being deleted."""

    def get_by_fingerprint(self, user_id: int, fingerprint: str) -> Image | None:
        """None for one that is being deleted."""

    def with_names(self, wanted: Collection[tuple[int, str]]) -> Sequence[Image]:
        """Return those of the users' ids and names, in no order, without those that are being deleted."""

    def page_of_user(self, user_id: int, page: PageRequest) -> Page[Image]:
        """Newest first, without those that are being deleted."""

    def claimed(self, user_id: int, names: Collection[str]) -> set[str]:
        """Return those that are an image's, unless that is being deleted, or the user's avatar's."""

    def keys_of_user(self, user_id: int) -> Sequence[str]:
        """Return the keys of all the user's files, the avatar's and those that are being deleted included."""

    def being_deleted(self, limit: int) -> Sequence[Image]:
        """Return everybody's images of which the deletion was not finished."""

    def batch_after(self, image_id: int, limit: int) -> Sequence[Image]:
        """Return everybody's images that have greater ids, by id, without those that are being deleted."""

    def forget_deleted(self, user_id: int, names: Collection[str]) -> None:
        """Remove the rows of those that are being deleted."""


class AssetUnitOfWork(UnitOfWork, Protocol):

    @property
    def images(self) -> ImageRepository:
        ...

    @property
    def users(self) -> UserRepository:
        ...
