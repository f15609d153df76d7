"""An uploaded image: its header, and its pixels with the orientation applied."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from PIL import ExifTags, Image

from talelio_backend.app_asset.business.errors import DAMAGED, ImageTooLarge, InvalidImageType
from talelio_backend.app_asset.business.image import ImageKind

_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(kw_only=True)
class Source:
    # The kind to store it as.
    kind: ImageKind
    # Before the orientation is applied.
    width: int
    height: int
    frames: int = 1
    # Decodes the first frame, once, and may set the other fields.
    decode: Callable[['Source'], Image.Image]
    profile: bytes | None = None
    # An EXIF orientation; 1 is upright.
    orientation: int = 1
    # Options for Pillow's saver that match how the source was encoded.
    options: dict[str, Any] = field(default_factory=dict)
    # Re-encodes a GIF or an animated WebP frame by frame with the given profile.
    reencode: Callable[[bytes | None], bytes] | None = None


def decode_upright(source: Source) -> Image.Image:
    """Return the first frame in mode 1, L, LA, P, RGB, RGBA or CMYK.

    Pillow's savers read `info`, so everything but a palette's transparency is removed from it.
    """
    with decoding():
        image = source.decode(source)
        # The function may hold a copy of the pixels.
        del source.decode
        transparency = image.info.get('transparency')
        image.info = {'transparency': transparency} if image.mode == 'P' and transparency is not None else {}
        method = _TRANSPOSITIONS.get(source.orientation)
        # Animations are not rotated: no camera produces a rotated one.
        if method is None or source.frames > 1:
            return image
        if source.orientation >= 5:
            _transpose_options(source.options)
        return image.transpose(method)


def _transpose_options(options: dict[str, Any]) -> None:
    """Rotate the quantization tables of a JPEG with its pixels."""
    if 'qtables' in options:
        options['qtables'] = [[table[8 * (n % 8) + n // 8] for n in range(64)]
                              for table in options['qtables']]
    if options.get('subsampling') == 1:
        # The encoder cannot halve the vertical resolution alone.
        options['subsampling'] = 0


@contextmanager
def decoding() -> Iterator[None]:
    """Turn errors of decoders, which may be of any type, into InvalidImageType.

    Exhausted memory or recursion is left to the caller.
    """
    try:
        yield
    except (ImageTooLarge, MemoryError, RecursionError):
        raise
    except Exception as error:
        raise InvalidImageType(DAMAGED) from error


def exif_orientation(exif: bytes) -> int:
    """Return 1 (upright) if the EXIF data is missing or malformed."""
    parsed = Image.Exif()
    with suppress(Exception):
        parsed.load(exif)
        return int(parsed.get(ExifTags.Base.Orientation, 1))
    return 1


def drop_opaque_alpha(image: Image.Image) -> Image.Image:
    """Convert to RGB if no pixel is transparent: it takes less memory and time to encode."""
    if image.mode == 'RGBa':
        image = image.convert('RGBA')
    if image.mode == 'RGBX' or image.mode == 'RGBA' and image.getchannel('A').getextrema() == (255, 255):
        return image.convert('RGB')
    return image
