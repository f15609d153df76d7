import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cached_property
from hashlib import sha256
from typing import Self

# In pixels. A variant is never wider than its image.
VARIANT_WIDTHS = (320, 640, 960, 1280, 1920)
AVATAR_WIDTH = 512

# Images in one list.
LIST_LENGTH = 100

# Hexadecimal digits of a name: so many say what the picture is, and so many that this is no other upload.
_FINGERPRINT = 32
_RANDOM = 32


class ImageKind(Enum):
    """The kinds that are stored, by media type."""

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
    """The same picture, narrower, as WebP."""

    width: int
    content: bytes


@dataclass(frozen=True, kw_only=True)
class ProcessedImage:
    """A picture as it is to be stored: made anew from pixels, so that nothing but them was passed on."""

    kind: ImageKind
    width: int
    height: int
    content: bytes
    variants: tuple[ProcessedVariant, ...]
    # A data URI of at most 600 bytes, to show until the picture is there.
    placeholder: str

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(sha256(self.content).hexdigest())

    def new_name(self) -> str:
        """Return one that no file has had before."""
        return self.fingerprint + secrets.token_hex(_RANDOM // 2)


@dataclass(eq=False, kw_only=True)
class Image:
    """A picture of a user, under a name of its own.

    A name is never used for another upload, not even of the same picture: what was asked of the store, and
    given up, may still be carried out at any time (.github/decisions/0007-images.md).
    """

    id: int = field(init=False)
    user_id: int
    created_at: datetime
    # When its owner deleted it. It stays until its files are gone.
    deleted_at: datetime | None = None
    # The first half of the stored bytes' SHA-256, and a random half, in hexadecimal. Those that were given
    # by earlier releases are the whole SHA-256.
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
        """The image itself comes first: where it is, all of them are."""
        return [self.key, *(self.variant_key(width) for width in self.variant_widths)]


def fingerprint(name: str) -> str:
    """Return what the names of all uploads of the same stored bytes begin with."""
    return name[:_FINGERPRINT]


def image_key(user_id: int, name: str, kind: ImageKind) -> str:
    return f'{user_id}/images/{name}.{kind.extension}'


def avatar_key(user_id: int, name: str) -> str:
    # Of an avatar no kind is kept: it is WebP, whatever was sent.
    return image_key(user_id, name, ImageKind.WEBP)


def variant_key(user_id: int, name: str, width: int) -> str:
    return f'{user_id}/images/{name}-{width}.webp'


# PostgreSQL's integer, the type of an id.
_LARGEST_ID = 2**31 - 1
_EXTENSIONS = '|'.join(kind.extension for kind in ImageKind)
_KEY = re.compile(
    rf'(?P<user_id>[1-9][0-9]{{0,9}})/images/'
    rf'(?P<name>[0-9a-f]{{{_FINGERPRINT + _RANDOM}}})(-[0-9]{{1,4}})?\.({_EXTENSIONS})'
)


def parse_key(key: str) -> tuple[int, str] | None:
    """Return the user's id and the name, or None for what is not ours."""
    match = _KEY.fullmatch(key)
    if match is None or int(match['user_id']) > _LARGEST_ID:
        return None
    return int(match['user_id']), match['name']
