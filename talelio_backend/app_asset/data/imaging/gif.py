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
_CONTROL = struct.Struct('<BHB')
_FRAME = struct.Struct('<HHHHB')
_HAS_TABLE, _INTERLACED = 0x80, 0x40
_HAS_TRANSPARENCY = 0x01
_MAX_SIDE = 0xffff
# The format leaves open how to show a frame without a colour table. Pillow uses greys, too.
_GREYS = bytes(level for level in range(256) for _ in range(3))


class Frame(NamedTuple):
    left: int
    top: int
    width: int
    height: int
    interlaced: bool
    # None if the frame uses the global table.
    table: bytes | None
    disposal: int
    # In hundredths of a second.
    duration: int
    transparent: int | None
    # The minimum code size and the blocks of compressed data.
    data: bytes


@dataclass(kw_only=True)
class Gif:
    width: int
    height: int
    background: int
    table: bytes | None
    # The number of repetitions; 0 repeats forever, None never.
    loop: int | None = None
    frames: list[Frame] = field(default_factory=list)


def open_gif(content: bytes) -> Source:
    gif = parse_gif(content)

    def decode(_source: Source) -> Image.Image:
        first = gif.frames[0]
        image = _decode(first, gif.table)
        if first.transparent is not None:
            image.info['transparency'] = first.transparent
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
    gif = Gif(width=width, height=height, background=background, table=_table(stream, flags))
    control = bytes(4)
    # Many files lack the trailer.
    while (mark := stream.read(1)) not in (b';', b''):
        if mark == b'!':
            label, blocks = _read(stream, 1), list(_blocks(stream))
            if label == b'\xf9' and blocks:
                control = blocks[0]
            elif label == b'\xff' and blocks[:1] in ([b'NETSCAPE2.0'], [b'ANIMEXTS1.0']):
                loops = [block for block in blocks[1:] if len(block) >= 3 and block[0] == 1]
                gif.loop = int.from_bytes(loops[0][1:3], 'little') if loops else gif.loop
        elif mark == b',':
            frame = _frame(stream, control)
            gif.frames.append(frame)
            gif.width = max(gif.width, frame.left + frame.width)
            gif.height = max(gif.height, frame.top + frame.height)
            control = bytes(4)
        else:
            raise InvalidImageType
    if not gif.frames or max(gif.width, gif.height) > _MAX_SIDE:
        raise InvalidImageType
    return gif


def reencode_gif(gif: Gif) -> bytes:
    flags, table = (_size_flag(gif.table) | _HAS_TABLE, gif.table) if gif.table else (0, b'')
    parts = [_SCREEN.pack(b'GIF89a', gif.width, gif.height, flags, gif.background), table]
    if gif.loop is not None:
        parts.append(b'!\xff\x0bNETSCAPE2.0\x03\x01' + gif.loop.to_bytes(2, 'little') + b'\0')
    for frame in gif.frames:
        parts += getdata(
            _decode(frame, gif.table), (frame.left, frame.top),
            transparency=frame.transparent,
            duration=10 * frame.duration,
            disposal=frame.disposal,
            include_color_table=frame.table is not None or gif.table is None
        )
    return b''.join([*parts, b';'])


def _decode(frame: Frame, table: bytes | None) -> Image.Image:
    """Decode the frame as a file of its own: Pillow confuses some local tables with the global one."""
    colours = frame.table or table or _GREYS
    head = _SCREEN.pack(b'GIF89a', frame.width, frame.height, _size_flag(colours) | _HAS_TABLE, 0)
    place = _FRAME.pack(0, 0, frame.width, frame.height, frame.interlaced and _INTERLACED)
    image = GifImageFile(BytesIO(head + colours + b',' + place + frame.data + b';'))
    image.load()
    # Pillow returns mode L for a table of ascending greys. The indices are the same.
    image.putpalette(colours)
    return image


def _frame(stream: BytesIO, control: bytes) -> Frame:
    left, top, width, height, flags = _FRAME.unpack(_read(stream, _FRAME.size))
    packed, duration, transparent = _CONTROL.unpack_from(control)
    table, code_size = _table(stream, flags), _read(stream, 1)
    blocks = [bytes([len(block)]) + block for block in _blocks(stream)]
    data = b''.join([code_size, *blocks, b'\0'])
    return Frame(
        left,
        top,
        width,
        height,
        interlaced=bool(flags & _INTERLACED),
        table=table,
        disposal=packed >> 2 & 7,
        duration=duration,
        transparent=transparent if packed & _HAS_TRANSPARENCY else None,
        data=data
    )


def _size_flag(table: bytes) -> int:
    return (len(table) // 3).bit_length() - 2


def _read(stream: BytesIO, size: int) -> bytes:
    part = stream.read(size)
    if len(part) < size:
        raise InvalidImageType
    return part


def _table(stream: BytesIO, flags: int) -> bytes | None:
    return _read(stream, 3 << (flags & 7) + 1) if flags & _HAS_TABLE else None


def _blocks(stream: BytesIO) -> Iterator[bytes]:
    while size := _read(stream, 1)[0]:
        yield _read(stream, size)
