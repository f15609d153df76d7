from typing import Self

from talelio_backend.shared.business.errors import Fault, Invalid, NotFound

DAMAGED = 'damaged or incomplete, it cannot be decoded'

# File names are cut to this many characters in errors.
_NAME_LENGTH = 100


class RefusedImage(Invalid):
    """`reason` describes the fault of a single file."""

    reason: str

    def __init__(self, reason: str | None = None) -> None:
        super().__init__()
        self.reason = reason or self.reason

    def fault(self, place: int, name: str) -> Fault:
        return Fault((place, ), f'{name[:_NAME_LENGTH]}: {self.reason}' if name else self.reason)


class InvalidImageType(RefusedImage):
    """The file is not a supported image or cannot be decoded."""

    message = 'One or more image files are of invalid type'
    reason = 'not a JPEG, PNG, GIF, WebP, AVIF or HEIC picture'


class ImageTooLarge(RefusedImage):
    """The file exceeds a limit on bytes, pixels, frames or processing resources."""

    message = 'One or more image files are too large'
    reason = 'needs more time or memory than a picture may'

    @classmethod
    def over(cls, had: int, limit: int, unit: str) -> Self:
        return cls(f'{had:,} {unit}, at most {limit:,} are taken')


class StorageRefused(Invalid):
    """The storage service rejected the request; the message contains none of its internals."""


class ImageNotFound(NotFound):
    template = 'You have no image {}'
