import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cached_property
from hashlib import sha256
from typing import Self

# In pixels. An image has only the variants that are no wider than itself.
VARIANT_WIDTHS = (320, 640, 960, 1280, 1920)
AVATAR_WIDTH = 512

# The maximum length of a page.
LIST_LENGTH = 100

# A name consists of hexadecimal digits: a fingerprint of the content, and random digits for each upload.
_FINGERPRINT = 32
_RANDOM = 32


class ImageKind(Enum):
    """The kinds of stored images, by media type."""

    JPEG = 'image/jpeg'
    PNG = 'image/png'
    GIF = 'image/gif'
    WEBP = 'image/webp'
    AVIF = 'image/avif'

    @property
    def extension(self) -> str:
        return 'jpg' if self is ImageKind.JPEG else self.name.lower()


@dataclass(frozen=True, kw_only=True)
class ProcessedVariant:
    """A narrower WebP version of an image."""

    width: int
    content: bytes


@dataclass(frozen=True, kw_only=True)
class ProcessedImage:
    """An image re-encoded from its pixels, so that it carries no other data of the upload."""

    kind: ImageKind
    width: int
    height: int
    content: bytes
    variants: tuple[ProcessedVariant, ...]
    # A data URI of at most 600 bytes, to show while the image loads.
    placeholder: str

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(sha256(self.content).hexdigest())

    def new_name(self) -> str:
        return self.fingerprint + secrets.token_hex(_RANDOM // 2)


@dataclass(eq=False, kw_only=True)
class Image:
    """An uploaded image of a user.

    Every upload gets a new name, even of the same content: the store may still carry out an earlier request
    that timed out (.github/decisions/0007-images.md).
    """

    id: int = field(init=False)
    user_id: int
    created_at: datetime
    # The row of a deleted image stays until its files are deleted.
    deleted_at: datetime | None = None
    # Half of the SHA-256 of the stored bytes and a random half, in hexadecimal. Earlier releases used the
    # whole SHA-256.
    name: str
    kind: ImageKind
    # In pixels.
    width: int
    height: int
    # In bytes.
    size: int
    variant_widths: list[int]
    placeholder: str

    @classmethod
    def of(cls, user_id: int, prepared: ProcessedImage, now: datetime) -> Self:
        return cls(
            user_id=user_id,
            created_at=now,
            name=prepared.new_name(),
            kind=prepared.kind,
            width=prepared.width,
            height=prepared.height,
            size=len(prepared.content),
            variant_widths=[variant.width for variant in prepared.variants],
            placeholder=prepared.placeholder,
        )

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.name)

    @property
    def key(self) -> str:
        return image_key(self.user_id, self.name, self.kind)

    def variant_key(self, width: int) -> str:
        return variant_key(self.user_id, self.name, width)

    @property
    def keys(self) -> Sequence[str]:
        """The image comes first: the store saves it last, so if it exists, all of them do."""
        return [self.key, *(self.variant_key(width) for width in self.variant_widths)]


def fingerprint(name: str) -> str:
    """Return the prefix that the names of all uploads of the same content share."""
    return name[:_FINGERPRINT]


def image_key(user_id: int, name: str, kind: ImageKind) -> str:
    return f'{user_id}/images/{name}.{kind.extension}'


def avatar_key(user_id: int, name: str) -> str:
    # Avatars are always WebP.
    return image_key(user_id, name, ImageKind.WEBP)


def variant_key(user_id: int, name: str, width: int) -> str:
    return f'{user_id}/images/{name}-{width}.webp'


# The maximum of PostgreSQL's integer, the type of ids.
_MAX_ID = 2**31 - 1
_EXTENSIONS = '|'.join(kind.extension for kind in ImageKind)
_KEY = re.compile(
    rf'(?P<user_id>[1-9][0-9]{{0,9}})/images/'
    rf'(?P<name>[0-9a-f]{{{_FINGERPRINT + _RANDOM}}})(-[0-9]{{1,4}})?\.({_EXTENSIONS})'
)


def parse_key(key: str) -> tuple[int, str] | None:
    """Return the user's id and the name, or None for a foreign key."""
    match = _KEY.fullmatch(key)
    if match is None or int(match['user_id']) > _MAX_ID:
        return None
    return int(match['user_id']), match['name']
