"""Detects the kind of an image from its content and enforces the limits."""

from collections.abc import Callable

from talelio_backend.app_asset.business.errors import DAMAGED, ImageTooLarge, InvalidImageType
from talelio_backend.app_asset.data.imaging.gif import open_gif
from talelio_backend.app_asset.data.imaging.heif import open_avif, open_heic
from talelio_backend.app_asset.data.imaging.jpeg import open_jpeg
from talelio_backend.app_asset.data.imaging.png import PNG_MAGIC, open_png
from talelio_backend.app_asset.data.imaging.protocol import ImageLimits
from talelio_backend.app_asset.data.imaging.source import Source, decoding
from talelio_backend.app_asset.data.imaging.webp import open_webp


def open_source(content: bytes, limits: ImageLimits) -> Source:
    """Read the header and check the limits before anything is decoded.

    Raises InvalidImageType or ImageTooLarge.
    """
    opener = _opener_of(content)
    with decoding():
        source = opener(content)
    pixels = source.width * source.height
    if pixels < 1:
        raise InvalidImageType(DAMAGED)
    if pixels > limits.pixels:
        raise ImageTooLarge.over(pixels, limits.pixels, f'pixels ({source.width} x {source.height})')
    if source.frames > limits.frames:
        raise ImageTooLarge.over(source.frames, limits.frames, 'frames')
    if source.frames > 1 and source.frames * pixels > limits.summed_pixels:
        raise ImageTooLarge.over(source.frames * pixels, limits.summed_pixels, 'pixels in all frames')
    return source


def _opener_of(content: bytes) -> Callable[[bytes], Source]:
    if content.startswith(b'\xff\xd8\xff'):
        return open_jpeg
    if content.startswith(PNG_MAGIC):
        return open_png
    if content.startswith((b'GIF87a', b'GIF89a')):
        return open_gif
    if content.startswith(b'RIFF') and content[8:12] == b'WEBP':
        return open_webp
    if content[4:8] == b'ftyp':
        # The major brand may be one that AVIF and HEIC share.
        size = min(int.from_bytes(content[:4]), 256)
        brands = {content[8:12], *(content[start:start + 4] for start in range(16, size, 4))}
        if brands & {b'avif', b'avis'}:
            return open_avif
        if brands & {b'heic', b'heix', b'heim', b'heis', b'hevc', b'hevx'}:
            return open_heic
    raise InvalidImageType
