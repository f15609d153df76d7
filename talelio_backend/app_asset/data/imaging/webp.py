"""Reads WebP files and re-encodes animations frame by frame.

Each frame keeps its position, its duration, and how it is blended and disposed of.
"""

import struct
from collections.abc import Iterator

from PIL import Image, _webp

from talelio_backend.app_asset.business.errors import ImageTooLarge, InvalidImageType
from talelio_backend.app_asset.business.image import ImageKind
from talelio_backend.app_asset.data.imaging.colour import normalize_colours
from talelio_backend.app_asset.data.imaging.encoding import LOSSLESS_WEBP_OPTIONS, OPTIONS, encode
from talelio_backend.app_asset.data.imaging.source import (
    Source,
    decode_upright,
    drop_opaque_alpha,
    exif_orientation,
)

_HEAD = struct.Struct('<4sI')
# Left, top, width - 1, height - 1, duration, and flags for blending and disposal.
_FRAME = struct.Struct('<3s3s3s3s3sB')
# A name and the data.
Chunk = tuple[bytes, memoryview]

_PROFILE, _ALPHA, _ANIMATED = 0x20, 0x10, 0x02


def open_webp(content: bytes) -> Source:
    content = webp_body(content)
    chunks = list(webp_chunks(content))
    named = dict(reversed(chunks))
    width, height = _webp_size(*chunks[0])
    frames = sum(name == b'ANMF' for name, _ in chunks)

    def decode(source: Source) -> Image.Image:
        # WebPImageFile would keep the decoder's two canvases and the file beside the image.
        # pylint: disable-next=c-extension-no-member
        decoder = _webp.WebPAnimDecoder(content)
        size, _, _, _, mode = decoder.get_info()
        pixels, _ = decoder.get_next()
        del decoder
        source.options = LOSSLESS_WEBP_OPTIONS if b'VP8L' in named else {}
        return drop_opaque_alpha(Image.frombuffer(mode, size, pixels, 'raw', mode, 0, 1))

    source = Source(
        kind=ImageKind.WEBP,
        width=width,
        height=height,
        frames=max(frames, 1),
        decode=decode,
        profile=bytes(named.get(b'ICCP', b'')),
        orientation=exif_orientation(bytes(named.get(b'EXIF', b'')))
    )
    if frames > 1:
        source.reencode = lambda profile: _reencode_webp(chunks, source.profile, profile)
    return source


def _webp_size(name: bytes, data: memoryview) -> tuple[int, int]:
    if name == b'VP8X':
        return 1 + int.from_bytes(data[4:7], 'little'), 1 + int.from_bytes(data[7:10], 'little')
    if name == b'VP8L':
        _, sides = struct.Struct('<BI').unpack_from(data)
        return 1 + (sides & 0x3fff), 1 + (sides >> 14 & 0x3fff)
    if name == b'VP8 ':
        width, height = struct.Struct('<6xHH').unpack_from(data)
        return width & 0x3fff, height & 0x3fff
    raise InvalidImageType


def _reencode_webp(chunks: list[Chunk], old_profile: bytes | None, profile: bytes | None) -> bytes:
    named = dict(chunks)
    flags = named[b'VP8X'][0] & _ALPHA | _ANIMATED | (_PROFILE if profile else 0)
    # The last six bytes are the width and height.
    parts = [webp_chunk(b'VP8X', bytes([flags, 0, 0, 0]) + bytes(named[b'VP8X'][4:10]))]
    if profile:
        parts.append(webp_chunk(b'ICCP', profile))
    # The background colour, which viewers ignore, and the number of repetitions.
    parts.append(webp_chunk(b'ANIM', named[b'ANIM'][:6]))
    for name, data in chunks:
        if name == b'ANMF':
            parts.append(webp_chunk(b'ANMF', _reencode_webp_frame(data, old_profile)))
    return webp_file(*parts)


def _reencode_webp_frame(data: memoryview, profile: bytes | None) -> bytes:
    left, top, width, height, duration, flags = _FRAME.unpack_from(data)
    inner = [webp_chunk(*chunk) for chunk in webp_chunks(data, _FRAME.size)]
    wide = webp_chunk(b'VP8X', bytes([_ALPHA, 0, 0, 0]) + width + height)
    frame = open_webp(webp_file(wide, *inner))
    image, _ = normalize_colours(decode_upright(frame), profile)
    try:
        still = encode(image, ImageKind.WEBP, None, **frame.options or OPTIONS[ImageKind.WEBP])
    except ValueError:
        # The format is limited to 512 KiB of prediction data.
        raise ImageTooLarge from None
    pixels = [webp_chunk(*chunk) for chunk in webp_chunks(still) if chunk[0] != b'VP8X']
    return b''.join([_FRAME.pack(left, top, width, height, duration, flags & 3), *pixels])


def webp_chunks(content: bytes | memoryview, position: int = 12) -> Iterator[Chunk]:
    """Yield the name and data of each chunk; those of a file begin at 12."""
    view = memoryview(content)
    while position < len(content):
        name, size = _HEAD.unpack_from(content, position)
        position += _HEAD.size
        if position + size > len(content):
            raise InvalidImageType
        yield name, view[position:position + size]
        position += size + size % 2


def webp_chunk(name: bytes, data: bytes | memoryview) -> bytes:
    return b''.join([_HEAD.pack(name, len(data)), data, bytes(len(data) % 2)])


def webp_file(*chunks: bytes) -> bytes:
    return webp_chunk(b'RIFF', b'WEBP' + b''.join(chunks))


def webp_body(content: bytes) -> bytes:
    """Drop bytes that are appended after the size in the header."""
    _, size = _HEAD.unpack_from(content, 0)
    return content[:_HEAD.size + size]
