"""Reads PNG files. Keeps only the default image of an animation."""

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from talelio_backend.app_asset.business.errors import InvalidImageType
from talelio_backend.app_asset.business.image import ImageKind
from talelio_backend.app_asset.data.imaging.colour import profile_by_code
from talelio_backend.app_asset.data.imaging.source import Source, exif_orientation

PNG_MAGIC = b'\x89PNG\r\n\x1a\n'
_HEAD = struct.Struct('>I4s')
_END = b'\0\0\0\0IEND\xaeB`\x82'
# Other chunks, such as texts and animation frames, are skipped: they can be expensive to parse.
_KEPT = (b'IHDR', b'PLTE', b'tRNS', b'iCCP', b'IDAT')


def open_png(content: bytes) -> Source:
    chunks = list(_chunks(content))
    named = {name: whole[_HEAD.size:-4] for name, whole in reversed(chunks)}
    still = b''.join([PNG_MAGIC, *(whole for name, whole in chunks if name in _KEPT), _END])
    image = PngImageFile(BytesIO(still))
    if image.mode == 'P' and not image.palette:
        raise InvalidImageType
    depth = named[b'IHDR'][8]
    codes = named.get(b'cICP')

    def decode(_source: Source) -> Image.Image:
        image.load()
        return _to_eight_bits(image, depth)

    return Source(
        kind=ImageKind.PNG,
        width=image.width,
        height=image.height,
        decode=decode,
        profile=profile_by_code(codes[0], codes[1]) if codes else image.info.get('icc_profile'),
        orientation=exif_orientation(bytes(named.get(b'eXIf', b'')))
    )


def _to_eight_bits(image: Image.Image, depth: int) -> Image.Image:
    """Reduce to 8 bits a channel and turn a transparent grey or colour into an alpha channel."""
    transparent = image.info.get('transparency')
    if image.mode == 'I;16':
        # Pillow's own conversion clips.
        wide = image.convert('I')
        grey = wide.point([level * 255 // 65535 for level in range(65536)], 'L')
        if transparent is None:
            return grey
        alpha = wide.point([0 if level == transparent else 255 for level in range(65536)], 'L')
        return Image.merge('LA', (grey, alpha))
    if transparent is None or image.mode == 'P':
        return image
    if image.mode == 'RGB':
        if depth == 16:
            # Pillow has decoded only the high bytes.
            image.info['transparency'] = tuple(level >> 8 for level in transparent)
        return image.convert('RGBA')
    if image.mode == 'L':
        # The value is stored in the bit depth of the file.
        image.info['transparency'] = transparent * 255 // (2**depth - 1)
    return image.convert('LA')


def _chunks(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the name and the bytes of each complete chunk before IEND."""
    view = memoryview(content)
    position = len(PNG_MAGIC)
    while position + _HEAD.size <= len(content):
        size, name = _HEAD.unpack_from(content, position)
        start, position = position, position + _HEAD.size + size + 4
        if name == b'IEND' or position > len(content):
            return
        yield name, view[start:position]
