"""A picture as it came: what its header says, and its pixels made upright."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from PIL import Image

from talelio_backend.app_asset.business.errors import DAMAGED, ImageTooLarge, InvalidImageType

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class SourceKind(Enum):
    JPEG = auto()
    PNG = auto()
    GIF = auto()
    WEBP = auto()
    AVIF = auto()
    HEIC = auto()


@dataclass(kw_only=True)
class Source:
    kind: SourceKind
    # As it is stored, so not upright yet.
    width: int
    height: int
    frames: int = 1
    # Makes the first frame, once, and may tell more of what is below.
    decode: Callable[['Source'], Image.Image]
    profile: bytes | None = None
    # From 1, upright, to 8, as in EXIF.
    orientation: int = 1
    # How the pixels were encoded, as arguments for Pillow's saver of the kind.
    style: dict[str, Any] = field(default_factory=dict)
    # Makes an animation anew, to be stored with the given profile. A GIF's takes its palettes as they
    # Makes a GIF or an animated WebP anew frame by frame, to be stored with the given profile.
    remake: Callable[[bytes | None], bytes] | None = None


def upright_pixels(source: Source) -> Image.Image:
    """Return the first frame, of mode 1, L, LA, P, RGB, RGBA or CMYK.

    Nothing is left in its `info`, which Pillow's savers read, but a palette's transparency.
    """
    with decoding():
        image = source.decode(source)
        # It may hold the pixels as well, and not be turned with them.
        del source.decode
        transparency = image.info.get('transparency')
        image.info = {'transparency': transparency} if image.mode == 'P' and transparency is not None else {}
        turn = _TURNS.get(source.orientation)
        # Who would turn an animation, and its frames' places with it? No camera makes one.
        if turn is None or source.frames > 1:
            return image
        if source.orientation >= 5:
            _lay_on_side(source.style)
        return image.transpose(turn)


def _lay_on_side(style: dict[str, Any]) -> None:
    """Have a JPEG's tables turned with its pixels, so that they fit as they did before."""
    if 'qtables' in style:
        style['qtables'] = [[table[8 * (n % 8) + n // 8] for n in range(64)] for table in style['qtables']]
    if style.get('subsampling') == 1:
        # Half as wide as high cannot be had.
        style['subsampling'] = 0


@contextmanager
def decoding() -> Iterator[None]:
    """Make whatever a decoder raises an InvalidImageType: no decoder says what that may be.

    What means too much is for the caller of the codec.
    """
    try:
        yield
    except (ImageTooLarge, MemoryError, RecursionError):
        raise
    except Exception as error:
        raise InvalidImageType(DAMAGED) from error


def exif_orientation(exif: bytes) -> int:
    """Return 1, for upright, also where it cannot be read."""
    exif = exif.removeprefix(b'Exif\0\0')
    order = {b'II*\0': '<', b'MM\0*': '>'}.get(exif[:4])
    try:
        start, = struct.unpack_from(f'{order}4xI', exif)
        count, = struct.unpack_from(f'{order}H', exif, start)
        for number in range(count):
            tag, value = struct.unpack_from(f'{order}H6xH', exif, start + 2 + 12 * number)
            if tag == _ORIENTATION:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def opaque_if_so(image: Image.Image) -> Image.Image:
    """Return RGB where nothing is transparent, for that is less to keep and to encode."""
    if image.mode == 'RGBa':
        image = image.convert('RGBA')
    if image.mode == 'RGBX' or image.mode == 'RGBA' and image.getchannel('A').getextrema() == (255, 255):
        return image.convert('RGB')
    return image
