"""Reads PNG files, and makes the frames of an animated one anew, one after the other.

A frame keeps its place and time, and how it covers those before it: numbers that are written here.
"""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from itertools import count

from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from talelio_backend.app_asset.business.errors import InvalidImageType
from talelio_backend.app_asset.business.image import ImageKind
from talelio_backend.app_asset.data.image_colour import in_stored_colours
from talelio_backend.app_asset.data.image_encoding import PNG_STYLE, encoded
from talelio_backend.app_asset.data.image_source import (
    Source,
    SourceKind,
    exif_orientation,
    unpacked,
    upright_pixels,
)

PNG_MAGIC = b'\x89PNG\r\n\x1a\n'
_HEAD = struct.Struct('>I4s')
# Width, height, left, top, the delay's numerator and denominator, disposal, blending.
_PLACE = struct.Struct('>IIIIHHBB')
# The others are texts, times and the frames of an animation, with which alone a file can take time.
_SHOWN = (b'IHDR', b'PLTE', b'tRNS', b'iCCP', b'IDAT', b'IEND')


def open_png(content: bytes) -> Source:
    chunks = list(png_chunks(content))
    named = {name: data for name, data, _ in reversed(chunks)}
    frames = sum(name == b'fcTL' for name, _, _ in chunks) if b'acTL' in named else 1
    still = b''.join([PNG_MAGIC, *(whole for name, _, whole in chunks if name in _SHOWN)])
    image = PngImageFile(BytesIO(still))
    if image.mode == 'P' and not image.palette:
        raise InvalidImageType
    depth = named[b'IHDR'][8]

    def decode(_source: Source) -> Image.Image:
        image.load()
        return _eight_bits(image, depth)

    source = Source(
        kind=SourceKind.PNG,
        width=image.width,
        height=image.height,
        frames=max(frames, 1),
        decode=decode,
        profile=image.info.get('icc_profile'),
        orientation=exif_orientation(bytes(named.get(b'eXIf', b'')))
    )
    if frames > 1:
        loop = bytes(named[b'acTL'][4:8])
        source.remake = lambda profile: _remade_png(content, frames, loop, source.profile, profile)
    return source


def _eight_bits(image: Image.Image, depth: int) -> Image.Image:
    """Also make an alpha channel of a transparent grey or colour."""
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
            # Decoded are the high bytes.
            image.info['transparency'] = tuple(level >> 8 for level in transparent)
        return image.convert('RGBA')
    if image.mode == 'L':
        # Given as it is stored, in fewer bits.
        image.info['transparency'] = transparent * 255 // (2**depth - 1)
    return image.convert('LA')


def _remade_png(
    content: bytes, frames: int, loop: bytes, old_profile: bytes | None, profile: bytes | None
) -> bytes:
    head: list[memoryview] = []
    body: list[bytes] = []
    form = b''
    # Of the frames and of their later parts alike.
    numbers = (struct.pack('>I', number) for number in count())
    for place, still in _png_stills(content):
        image, _ = in_stored_colours(upright_pixels(open_png(still)), old_profile)
        chunks = list(png_chunks(encoded(image, ImageKind.PNG, profile, **PNG_STYLE)))
        pixels = [data for name, data, _ in chunks if name == b'IDAT']
        if place:
            body.append(png_chunk(b'fcTL', next(numbers) + place))
        if not head:
            head = [whole for name, _, whole in chunks if name not in (b'IDAT', b'IEND')]
            form = bytes(chunks[0][1][8:])
            body += [png_chunk(b'IDAT', data) for data in pixels]
        else:
            body += [png_chunk(b'fdAT', next(numbers) + data) for data in pixels]
        if chunks[0][1][8:] != form:
            raise InvalidImageType
    control = png_chunk(b'acTL', struct.pack('>I', frames) + loop.rjust(4, b'\0'))
    return b''.join([PNG_MAGIC, *head, control, *body, png_chunk(b'IEND', b'')])


def _png_stills(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each frame's place, which is empty for a picture beside the animation, and it as a file."""
    header = b''
    shared: list[memoryview] = []
    frames: list[tuple[bytes, list[memoryview]]] = []
    for name, data, whole in png_chunks(content):
        if name == b'IHDR':
            header = bytes(data)
        elif name in (b'PLTE', b'tRNS'):
            shared.append(whole)
        elif name == b'fcTL':
            frames.append((bytes(data[4:4 + _PLACE.size]), []))
        elif name == b'IDAT':
            if not frames:
                frames.append((b'', []))
            frames[-1][1].append(data)
        elif name == b'fdAT':
            if len(frames) < 2:
                raise InvalidImageType
            frames[-1][1].append(data[4:])
    canvas = unpacked(struct.Struct('>II'), header)
    for place, parts in frames:
        width, height, left, top, *_ = unpacked(_PLACE, place) if place else (*canvas, 0, 0)
        if left + width > canvas[0] or top + height > canvas[1]:
            raise InvalidImageType
        yield place, b''.join([
            PNG_MAGIC,
            png_chunk(b'IHDR',
                      struct.pack('>II', width, height) + header[8:]), *shared,
            png_chunk(b'IDAT', b''.join(parts)),
            png_chunk(b'IEND', b'')
        ])


def png_chunks(content: bytes) -> Iterator[tuple[bytes, memoryview, memoryview]]:
    """Yield each chunk's name, its data, and the whole of it."""
    view = memoryview(content)
    position = len(PNG_MAGIC)
    name = b''
    while name != b'IEND':
        size, name = unpacked(_HEAD, content, position)
        start, position = position, position + _HEAD.size + size + 4
        if position > len(content):
            raise InvalidImageType
        yield name, view[start + _HEAD.size:position - 4], view[start:position]


def png_chunk(name: bytes, data: bytes | memoryview) -> bytes:
    check = zlib.crc32(data, zlib.crc32(name))
    return b''.join([_HEAD.pack(len(data), name), data, struct.pack('>I', check)])
