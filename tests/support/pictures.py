"""Sample pictures of every kind. What must not be passed on has SECRET in it."""
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import AvifImagePlugin, Image, ImageChops, ImageStat, WebPImagePlugin
from PIL.PngImagePlugin import PngInfo

from tests.support.tiny_heic import HEIC, HEIC_WITH_ALPHA, TURNED_HEIC

__all__ = ['HEIC', 'HEIC_WITH_ALPHA', 'TURNED_HEIC', 'AvifImagePlugin', 'WebPImagePlugin']

SECRET = b'SECRET'
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">SECRET</x:xmpmeta>'
ZIP = b'PK\x03\x04SECRET.zip<script>alert("SECRET")</script>'

ORIENTATION = 0x0112
# What undoes an orientation: applied to an upright picture it gives the one to store with it.
_LAID = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def scene(width: int = 96, height: int = 64, mode: str = 'RGB') -> Image.Image:
    """A picture with no symmetry: red, green, blue and yellow corners; with alpha, fading to the right."""
    corners = Image.frombytes('RGB', (2, 2), bytes([220, 30, 30, 30, 200, 40, 30, 40, 210, 230, 220, 40]))
    image = corners.resize((width, height), Image.Resampling.BILINEAR)
    if mode in ('RGBA', 'LA'):
        alpha = Image.linear_gradient('L').rotate(90).resize((width, height))
        image.putalpha(alpha)
    return image if image.mode == mode else image.convert(mode)


def laid(image: Image.Image, orientation: int) -> Image.Image:
    turn = _LAID[orientation]
    return image if turn is None else image.transpose(turn)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean one of all channels, from 0 to 255. Colours under full transparency do not count."""
    assert one.size == other.size
    pixels = [image.convert('RGBA').convert('RGBa') for image in (one, other)]
    bands = zip(*(image.split() for image in pixels))
    return max(ImageStat.Stat(ImageChops.difference(*pair)).mean[0] for pair in bands)


def frames_of(content: bytes) -> list[tuple[Image.Image, int]]:
    """The canvas as it is with each frame, and for how many milliseconds."""
    image = Image.open(BytesIO(content))
    frames = []
    for number in range(getattr(image, 'n_frames', 1)):
        image.seek(number)
        frames.append((image.convert('RGBA'), round(image.info.get('duration', 0))))
    return frames


def exif(orientation: int = 1) -> bytes:
    data = Image.Exif()
    data[ORIENTATION] = orientation
    data[0x010f] = 'SECRET make'
    data[0x8825] = {1: 'N', 2: (52.0, 31.0, 12.0), 3: 'E', 4: (13.0, 24.0, 36.0), 28: b'SECRET area'}
    return data.tobytes()


def malformed_exif() -> bytes:
    """A directory that says it has more than there is, and points to nowhere."""
    return b'Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x05\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\0\x05\0\0'


def phone_jpeg(width: int = 4000, height: int = 3000) -> bytes:
    """As a telephone held upright makes it: lying on its side, and full of what it knows."""
    noise = Image.effect_noise((width // 4, height // 4), 60).resize((width, height))
    image = Image.blend(scene(width, height), Image.merge('RGB', (noise, noise, noise)), 0.1)
    return saved(
        image,
        'JPEG',
        quality=88,
        subsampling=2,
        exif=exif(6),
        xmp=XMP,
        comment=b'SECRET comment',
        icc_profile=P3_PROFILE
    ) + ZIP


def mpo(image: Image.Image) -> bytes:
    return saved(image, 'MPO', save_all=True, append_images=[Image.new('RGB', (8, 8))], quality=90)


# --- PNG that Pillow does not write -----------------------------------------------------------------


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *chunks: bytes) -> bytes:
    """`rows` come with the byte of their filter."""
    return b''.join([
        b'\x89PNG\r\n\x1a\n',
        png_chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, colour, 0, 0, 0)), *chunks,
        png_chunk(b'IDAT', zlib.compress(rows)),
        png_chunk(b'IEND', b'')
    ])


def interlaced_png(image: Image.Image) -> bytes:
    """An RGB picture in seven passes, each of some columns of some rows."""
    rows = b''
    for left, top, across, down in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                                    (1, 0, 2, 2), (0, 1, 1, 2)):
        size = -(-(image.width - left) // across), -(-(image.height - top) // down)
        place = (across, 0, left - (across - 1) / 2, 0, down, top - (down - 1) / 2)
        some = image.transform(size, Image.Transform.AFFINE, place).tobytes()
        rows += b''.join(
            b'\0' + some[start:start + 3 * size[0]] for start in range(0, len(some), 3 * size[0])
        )
    header = struct.pack('>IIBBBBB', *image.size, 8, 2, 0, 0, 1)
    return png(1, 1, 8, 2, rows).replace(
        png_chunk(b'IHDR', struct.pack('>IIBBBBB', 1, 1, 8, 2, 0, 0, 0)), png_chunk(b'IHDR', header)
    )


def talkative_png(image: Image.Image, orientation: int = 1) -> bytes:
    info = PngInfo()
    info.add_text('Comment', 'SECRET')
    info.add_itxt('XML:com.adobe.xmp', XMP.decode())
    info.add(b'prIv', b'SECRET')
    return saved(image, 'PNG', exif=exif(orientation), pnginfo=info, icc_profile=P3_PROFILE) + ZIP


# --- Profiles ---------------------------------------------------------------------------------------


def _fixed(*numbers: float) -> bytes:
    return b''.join(struct.pack('>i', round(number * 65536)) for number in numbers)


def gamma(number: float) -> bytes:
    return b'curv\0\0\0\0' + struct.pack('>IH', 1, round(number * 256))


def curve_table(levels: list[float]) -> bytes:
    return b'curv\0\0\0\0' + struct.pack(
        f'>I{len(levels)}H', len(levels), *(round(n * 65535) for n in levels)
    )


def formula(number: int, *parameters: float) -> bytes:
    """A curve by the number of its formula, in a profile of version 4."""
    return struct.pack('>4s4xHxx', b'para', number) + _fixed(*parameters)


def srgb_level(level: float) -> float:
    """How much light it is, both from 0 to 1."""
    return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055)**2.4


def _text(text: str) -> bytes:
    content = text.encode('utf-16-be')
    return b'mluc\0\0\0\0' + struct.pack('>II4sII', 1, 12, b'enUS', len(content), 28) + content


def _profile(
    kind: bytes,
    space: bytes,
    connection: bytes,
    tags: dict[bytes, bytes],
    version: int = 0x02400000
) -> bytes:
    white = _fixed(0.9642, 1, 0.8249)
    position = 128 + 4 + 12 * len(tags)
    table, data = struct.pack('>I', len(tags)), b''
    for name, content in tags.items():
        table += struct.pack('>4sII', name, position + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    head = struct.pack(
        '>I4sI4s4s4s12x4s', position + len(data), b'\0\0\0\0', version, kind, space, connection, b'acsp'
    )
    return (head + bytes(68 - len(head)) + white).ljust(128, b'\0') + table + data


def xyz(*numbers: float) -> bytes:
    return b'XYZ \0\0\0\0' + _fixed(*numbers)


def three_curves(curve: bytes) -> dict[bytes, bytes]:
    return {b'rTRC': curve, b'gTRC': curve, b'bTRC': curve}


WHITE = {b'wtpt': xyz(0.9642, 1, 0.8249)}
SRGB_PRIMARIES = {
    b'rXYZ': xyz(0.43607, 0.22249, 0.01392),
    b'gXYZ': xyz(0.38515, 0.71687, 0.09708),
    b'bXYZ': xyz(0.14307, 0.06061, 0.71410),
}
P3_PRIMARIES = {
    b'rXYZ': xyz(0.51512, 0.24120, -0.00105),
    b'gXYZ': xyz(0.29198, 0.69225, 0.04189),
    b'bXYZ': xyz(0.15710, 0.06657, 0.78407),
}
ADOBE_PRIMARIES = {
    b'rXYZ': xyz(0.60974, 0.31111, 0.01947),
    b'gXYZ': xyz(0.20528, 0.62567, 0.06087),
    b'bXYZ': xyz(0.14919, 0.06322, 0.74457),
}


def screen_profile(tags: dict[bytes, bytes], kind: bytes = b'mntr', version: int = 0x02400000) -> bytes:
    return _profile(kind, b'RGB ', b'XYZ ', tags, version)


SRGB_FORMULA = formula(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
# As telephones have it.
P3_PROFILE = screen_profile(
    {
        b'desc': _text('Display P3'), b'cprt': _text('Somebody'),
    } | WHITE | P3_PRIMARIES | three_curves(SRGB_FORMULA), version=0x04000000
)  # yapf: disable
# Its primaries with another curve, by a table.
TABLE_P3_PROFILE = screen_profile(
    WHITE | P3_PRIMARIES | three_curves(curve_table([(n / 1023)**2.2 for n in range(1024)]))
)
# As those that came with printers and cameras for twenty years. White is the screen's own in these.
TABLE_SRGB_PROFILE = screen_profile({b'wtpt': xyz(0.9505, 1, 1.0891)} | SRGB_PRIMARIES
                                    | three_curves(curve_table([srgb_level(n / 1023) for n in range(1024)])))
ADOBE_PROFILE = screen_profile({b'wtpt': xyz(0.9505, 1, 1.0891)} | ADOBE_PRIMARIES
                               | three_curves(gamma(2.19921875)))
TURNED_HEIC_PROFILE = screen_profile(WHITE | P3_PRIMARIES | three_curves(gamma(2.19921875)))
LINEAR_GREY_PROFILE = _profile(b'mntr', b'GRAY', b'XYZ ', WHITE | {b'kTRC': gamma(1.0)})


def _odd_inks() -> bytes:
    """A table in which full cyan is a light red, and everything else white, but black with much black."""
    identity = bytes(range(256))
    corners = b''
    for number in range(16):
        cyan, black = number & 8, number & 1
        corners += bytes([0, 128, 128] if black else [150, 190, 160] if cyan else [255, 128, 128])
    matrix = _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return b'mft1\0\0\0\0' + bytes([4, 3, 2, 0]) + matrix + identity * 4 + corners + identity * 3


CMYK_PROFILE = _profile(b'prtr', b'CMYK', b'Lab ', WHITE | {b'A2B0': _odd_inks()})

# --- Animations -------------------------------------------------------------------------------------

DURATIONS = [100, 250, 70]


def animation_frames(mode: str = 'RGBA') -> list[Image.Image]:
    """Three canvases with a square on its way, and with colours enough for a palette each."""
    frames = []
    for number in range(len(DURATIONS)):
        canvas = Image.new(mode, (60, 40), (0, 0, 0, 0) if mode == 'RGBA' else (90, 90, 90))
        canvas.paste(scene(20, 20).rotate(90 * number).convert(mode), (5 + 15 * number, 10))
        frames.append(canvas)
    return frames


def animated(kind: str, mode: str = 'RGBA', **options: Any) -> bytes:
    first, *others = animation_frames(mode)
    options = {'duration': DURATIONS, 'loop': 3} | options
    return saved(first, kind, save_all=True, append_images=others, **options)


def fading(kind: str, **options: Any) -> bytes:
    """Three canvases that replace each other, since nothing in them is opaque."""
    first, *others = [scene(60, 40, 'RGBA').rotate(180 * number) for number in range(3)]
    return saved(first, kind, save_all=True, append_images=others, duration=DURATIONS, **options)


def gif_with_local_palettes() -> bytes:
    """Three frames over each other, each with a palette and a transparent colour of its own."""
    parts = [b'GIF89a' + struct.pack('<HHBBB', 12, 8, 0x80, 0, 0), bytes([255, 255, 255, 0, 0, 0])]
    parts.append(b'!\xff\x0bNETSCAPE2.0\x03\x01\x05\0\0')
    parts.append(b'!\xfe\x06SECRET\0')
    parts.append(b'!\xff\x0bXMP DataXMP\x06SECRET\0')
    for number, (place, disposal) in enumerate([((0, 0, 12, 8), 1), ((2, 2, 5, 4), 2), ((6, 1, 6, 6), 3)]):
        table = bytes([9, 9, 9, 200 - 60 * number, 50 * number, 90, 20, 90 * number, 250, 7, 7, 7])
        if number == 1:
            # Greys in order, which Pillow takes for no palette at all.
            table = bytes([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
        pixels = [
            1 + (x + y + number) % 2 if (x + y) % 5 else 0 for y in range(place[3]) for x in range(place[2])
        ]
        parts.append(b'!\xf9\x04' + struct.pack('<BHB', disposal << 2 | 1, 10 + number, 0) + b'\0')
        parts.append(
            b',' + struct.pack('<HHHHB', *place, 0x81) + table + b'\x02' + _uncompressed(pixels) + b'\0'
        )
    return b''.join([*parts, b';']) + ZIP


def _uncompressed(pixels: list[int]) -> bytes:
    """As codes of 3 bits for 4 colours, cleared so often that they never grow."""
    codes = [4]
    for number, pixel in enumerate(pixels):
        codes += [pixel, 4] if number % 2 else [pixel]
    bits = sum(code << 3 * number for number, code in enumerate([*codes, 5]))
    content = bits.to_bytes((3 * (len(codes) + 1) + 7) // 8, 'little')
    blocks = [content[start:start + 255] for start in range(0, len(content), 255)]
    return b''.join(bytes([len(block)]) + block for block in blocks)
