"""Takes a GIF apart and makes it anew, frame by frame: each keeps its own palette, place and time.

To compose the frames and have Pillow save them would mean palettes chosen anew, differences worked
out anew, and all canvases in memory at once.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import NamedTuple

from PIL import Image
from PIL.GifImagePlugin import GifImageFile, getdata

from talelio_backend.app_asset.business.errors import InvalidImageType
from talelio_backend.app_asset.data.imaging.source import Source, SourceKind

_SCREEN = struct.Struct('<6sHHBBx')
_CONTROL = struct.Struct('<BHB')
_PLACE = struct.Struct('<HHHHB')
_HAS_TABLE, _INTERLACED = 0x80, 0x40
_HAS_TRANSPARENCY = 0x01
_LARGEST_SIDE = 0xffff
# What a decoder is to use for a frame that brings no colours is not defined. Pillow uses this, too.
_GREYS = bytes(level for level in range(256) for _ in range(3))


class Control(NamedTuple):
    disposal: int = 0
    # In hundredths of a second.
    duration: int = 0
    transparent: int | None = None


@dataclass(frozen=True, kw_only=True)
class Frame:
    left: int
    top: int
    width: int
    height: int
    interlaced: bool
    # None where the frame uses the one of the file.
    table: bytes | None
    control: Control
    # As encoded, in blocks.
    data: bytes


@dataclass(kw_only=True)
class Gif:
    width: int
    height: int
    background: int
    table: bytes | None
    # How many times it is repeated; 0 is for ever, None is not at all.
    loop: int | None = None
    frames: list[Frame] = field(default_factory=list)


def open_gif(content: bytes) -> Source:
    gif = parse_gif(content)

    def decode(_source: Source) -> Image.Image:
        first = gif.frames[0]
        image = _decoded(first, gif.table)
        if first.control.transparent is not None:
            image.info['transparency'] = first.control.transparent
        if image.size == (gif.width, gif.height):
            return image
        canvas = Image.new('RGBA', (gif.width, gif.height))
        canvas.paste(image.convert('RGBA'), (first.left, first.top))
        return canvas

    return Source(
        kind=SourceKind.GIF,
        width=gif.width,
        height=gif.height,
        frames=len(gif.frames),
        decode=decode,
        remake=lambda _profile: remade_gif(gif)
    )


def parse_gif(content: bytes) -> Gif:
    """Raises InvalidImageType. The canvas is made to hold all frames, as Pillow does."""
    _, width, height, flags, background = _SCREEN.unpack_from(content)
    reader = _Reader(content, _SCREEN.size)
    gif = Gif(width=width, height=height, background=background, table=reader.table(flags))
    control = Control()
    # Many files end without the mark of the end.
    while (mark := reader.read(1, or_end=True)) not in (b';', b''):
        if mark == b'!':
            label, blocks = reader.read(1), list(reader.blocks())
            if label == b'\xf9' and blocks:
                control = _control(blocks[0])
            elif label == b'\xff' and blocks[:1] in ([b'NETSCAPE2.0'], [b'ANIMEXTS1.0']):
                loops = [block for block in blocks[1:] if len(block) >= 3 and block[0] == 1]
                gif.loop = int.from_bytes(loops[0][1:3], 'little') if loops else gif.loop
        elif mark == b',':
            frame = _frame(reader, control)
            gif.frames.append(frame)
            gif.width = max(gif.width, frame.left + frame.width)
            gif.height = max(gif.height, frame.top + frame.height)
            control = Control()
        else:
            raise InvalidImageType
    if not gif.frames or max(gif.width, gif.height) > _LARGEST_SIDE:
        raise InvalidImageType
    return gif


def remade_gif(gif: Gif) -> bytes:
    flags, table = (_size_flag(gif.table) | _HAS_TABLE, gif.table) if gif.table else (0, b'')
    parts = [_SCREEN.pack(b'GIF89a', gif.width, gif.height, flags, gif.background), table]
    if gif.loop is not None:
        parts.append(b'!\xff\x0bNETSCAPE2.0\x03\x01' + gif.loop.to_bytes(2, 'little') + b'\0')
    for frame in gif.frames:
        parts += _remade_frame(frame, gif.table)
    return b''.join([*parts, b';'])


def _remade_frame(frame: Frame, table: bytes | None) -> list[bytes]:
    return getdata(
        _decoded(frame, table), (frame.left, frame.top),
        transparency=frame.control.transparent,
        duration=10 * frame.control.duration,
        disposal=frame.control.disposal,
        include_color_table=frame.table is not None or table is None
    )


def _decoded(frame: Frame, table: bytes | None) -> Image.Image:
    """As a file of its own, since Pillow mistakes some frames' palettes where there is one for all."""
    colours = frame.table or table or _GREYS
    head = _SCREEN.pack(b'GIF89a', frame.width, frame.height, _size_flag(colours) | _HAS_TABLE, 0)
    place = _PLACE.pack(0, 0, frame.width, frame.height, frame.interlaced and _INTERLACED)
    image = GifImageFile(BytesIO(head + colours + b',' + place + frame.data + b';'))
    image.load()
    # It is of mode L where the colours are all greys in order. The indices are the same.
    image.putpalette(colours)
    return image


def _frame(reader: '_Reader', control: Control) -> Frame:
    left, top, width, height, flags = _PLACE.unpack_from(reader.read(_PLACE.size))
    return Frame(
        left=left,
        top=top,
        width=width,
        height=height,
        interlaced=bool(flags & _INTERLACED),
        table=reader.table(flags),
        control=control,
        data=reader.image_data()
    )


def _control(block: bytes) -> Control:
    flags, duration, transparent = _CONTROL.unpack_from(block)
    return Control(
        disposal=flags >> 2 & 7,
        duration=duration,
        transparent=transparent if flags & _HAS_TRANSPARENCY else None
    )


def _size_flag(table: bytes) -> int:
    return (len(table) // 3).bit_length() - 2


class _Reader:

    def __init__(self, content: bytes, position: int) -> None:
        self._content = content
        self._position = position

    def read(self, size: int, *, or_end: bool = False) -> bytes:
        part = self._content[self._position:self._position + size]
        self._position += size
        if len(part) < size and not or_end:
            raise InvalidImageType
        return part

    def table(self, flags: int) -> bytes | None:
        return self.read(3 << (flags & 7) + 1) if flags & _HAS_TABLE else None

    def blocks(self) -> Iterator[bytes]:
        while size := self.read(1)[0]:
            yield self.read(size)

    def image_data(self) -> bytes:
        """Return the size of the codes, and the blocks with the sizes before them."""
        start = self._position
        self.read(1)
        for _ in self.blocks():
            pass
        return self._content[start:self._position]
