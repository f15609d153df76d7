from typing import Self

from talelio_backend.shared.business.errors import Fault, Invalid, NotFound

DAMAGED = 'damaged or incomplete, it cannot be decoded'

# File names are cut to this many characters in errors.
_NAME_LENGTH = 100


class RefusedImage(Invalid):
    """`reason` describes the fault of a single file."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason

    def fault(self, place: int, name: str) -> Fault:
        return Fault((place, ), f'{name[:_NAME_LENGTH]}: {self.reason}' if name else self.reason)


class InvalidImageType(RefusedImage):
    """The file is not a supported image or cannot be decoded."""

    def __init__(self, reason: str = 'not a JPEG, PNG, GIF, WebP, AVIF or HEIC picture') -> None:
        super().__init__('One or more image files are of invalid type', reason)


class ImageTooLarge(RefusedImage):
    """The file exceeds a limit on bytes, pixels, frames or processing resources."""

    def __init__(self, reason: str = 'needs more time or memory than a picture may') -> None:
        super().__init__('One or more image files are too large', reason)

    @classmethod
    def over(cls, had: int, limit: int, unit: str) -> Self:
        return cls(f'{had:,} {unit}, at most {limit:,} are taken')


class StorageRefused(Invalid):
    """The storage service rejected the request; the message contains none of its internals."""


class ImageNotFound(NotFound):

    def __init__(self, image_id: int) -> None:
        super().__init__(f'You have no image {image_id}')
