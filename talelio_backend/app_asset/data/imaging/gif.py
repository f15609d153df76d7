"""Reads GIF files and re-encodes them frame by frame. Each frame keeps its palette, position and delay.

Saving composed frames with Pillow would choose new palettes, compute new differences, and hold all
canvases in memory at once.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import NamedTuple

from PIL import Image
from PIL.GifImagePlugin import GifImageFile, getdata

from talelio_backend.app_asset.business.errors import InvalidImageType
from talelio_backend.app_asset.business.image import ImageKind
from talelio_backend.app_asset.data.imaging.source import Source

_SCREEN = struct.Struct('<6sHHBBx')
_FRAME = struct.Struct('<HHHHB')
_HAS_TABLE, _TABLE_SIZE, _INTERLACED = 0x80, 0x07, 0x40
_MAX_SIDE = 0xffff
# The format leaves open how to show a frame without a colour table. Pillow uses greys, too.
_GREYS = bytes(level for level in range(256) for _ in range(3))


class Frame(NamedTuple):
    left: int
    top: int
    table: bytes
    has_own_table: bool
    # The frame as a file of its own: Pillow confuses some local tables with the global one.
    file: bytes


@dataclass(kw_only=True)
class Gif:
    width: int
    height: int
    background: int
    # The size of the table, and whether there is one.
    flags: int
    table: bytes
    # The extension that tells the number of repetitions.
    loop: bytes = b''
    frames: list[Frame] = field(default_factory=list)


def open_gif(content: bytes) -> Source:
    gif = parse_gif(content)

    def decode(_source: Source) -> Image.Image:
        first = gif.frames[0]
        image = _decode(first)
        if image.size == (gif.width, gif.height):
            return image
        canvas = Image.new('RGBA', (gif.width, gif.height))
        canvas.paste(image.convert('RGBA'), (first.left, first.top))
        return canvas

    return Source(
        kind=ImageKind.GIF,
        width=gif.width,
        height=gif.height,
        frames=len(gif.frames),
        decode=decode,
        reencode=lambda _profile: reencode_gif(gif)
    )


def parse_gif(content: bytes) -> Gif:
    """Raises InvalidImageType. Like Pillow, enlarges the canvas to hold all frames."""
    _, width, height, flags, background = _SCREEN.unpack_from(content)
    stream = BytesIO(content)
    stream.seek(_SCREEN.size)
    table = _table(stream, flags)
    flags &= _HAS_TABLE | _TABLE_SIZE
    gif = Gif(width=width, height=height, background=background, flags=flags, table=table)
    control = b''
    # Many files lack the trailer.
    while (mark := stream.read(1)) not in (b';', b''):
        if mark == b'!':
            label, blocks = _read(stream, 1), list(_blocks(stream))
            if label == b'\xf9' and blocks:
                control = b'!\xf9\4' + blocks[0][:4].ljust(4, b'\0') + b'\0'
            elif label == b'\xff' and blocks[:1] in ([b'NETSCAPE2.0'], [b'ANIMEXTS1.0']):
                for block in blocks[1:]:
                    if len(block) >= 3 and block[0] == 1:
                        gif.loop = b'!\xff\x0bNETSCAPE2.0\3\1' + block[1:3] + b'\0'
        elif mark == b',':
            left, top, width, height, flags = _FRAME.unpack(_read(stream, _FRAME.size))
            table = _table(stream, flags)
            start = stream.tell()
            _read(stream, 1)
            for _ in _blocks(stream):
                pass
            file = [
                _SCREEN.pack(
                    b'GIF89a', width, height, flags & (_HAS_TABLE | _TABLE_SIZE) if table else gif.flags, 0
                ),
                table or gif.table,
                control,
                b',',
                _FRAME.pack(0, 0, width, height, flags & _INTERLACED),
                content[start:stream.tell()],
                b';',
            ]
            gif.frames.append(Frame(left, top, table or gif.table or _GREYS, bool(table), b''.join(file)))
            gif.width = max(gif.width, left + width)
            gif.height = max(gif.height, top + height)
            control = b''
        else:
            raise InvalidImageType
    if not gif.frames or max(gif.width, gif.height) > _MAX_SIDE:
        raise InvalidImageType
    return gif


def reencode_gif(gif: Gif) -> bytes:
    parts = [_SCREEN.pack(b'GIF89a', gif.width, gif.height, gif.flags, gif.background), gif.table, gif.loop]
    for frame in gif.frames:
        image = _decode(frame)
        parts += getdata(
            image, (frame.left, frame.top),
            transparency=image.info.get('transparency'),
            duration=image.info.get('duration', 0),
            disposal=image.disposal_method,
            include_color_table=frame.has_own_table or not gif.table
        )
    return b''.join([*parts, b';'])


def _decode(frame: Frame) -> GifImageFile:
    image = GifImageFile(BytesIO(frame.file))
    image.load()
    # Pillow returns mode L for a table of ascending greys. The indices are the same.
    image.putpalette(frame.table)
    return image


def _read(stream: BytesIO, size: int) -> bytes:
    part = stream.read(size)
    if len(part) < size:
        raise InvalidImageType
    return part


def _table(stream: BytesIO, flags: int) -> bytes:
    return _read(stream, 3 << (flags & _TABLE_SIZE) + 1) if flags & _HAS_TABLE else b''


def _blocks(stream: BytesIO) -> Iterator[bytes]:
    while size := _read(stream, 1)[0]:
        yield _read(stream, size)
