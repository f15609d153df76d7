"""Files that are meant to take a decoder very long, much memory, or to break it."""
import struct
import zlib
from collections.abc import Callable
from random import Random

from PIL import Image

from tests.support import pictures
from tests.support.pictures import png, png_chunk, saved, scene


def vast_png() -> bytes:
    """400 megapixels in 48 kB."""
    rows = zlib.compressobj(9)
    packed = b''.join([*(rows.compress(bytes(2501)) for _ in range(20_000)), rows.flush()])
    file = png(20_000, 20_000, 1, 0, b'')
    return file.replace(png_chunk(b'IDAT', zlib.compress(b'')), png_chunk(b'IDAT', packed))


def vast_gif() -> bytes:
    return b'GIF89a' + struct.pack('<HHBBB', 65535, 65535, 0, 0, 0) + gif_frame(1) + b';'


def gif_frame(side: int, left: int = 0) -> bytes:
    return b',' + struct.pack('<HHHHB', left, 0, side, side, 0) + b'\x02\x02\x44\x01\0'


def gif_with_a_vast_frame() -> bytes:
    return b'GIF89a' + struct.pack('<HHBBB', 1, 1, 0, 0, 0) + gif_frame(1) + gif_frame(65535) + b';'


def vast_webp() -> bytes:
    """The largest picture that a header can tell of, and one of another size within."""
    inner = saved(scene(8, 8), 'WEBP', lossless=True)[12:]
    body = b'WEBPVP8X\x0a\0\0\0' + bytes([0x10, 0, 0, 0]) + b'\xfe\x3f\0' * 2 + inner
    return b'RIFF' + struct.pack('<I', len(body)) + body


def vast_lossless_webp() -> bytes:
    content = bytearray(saved(scene(8, 8), 'WEBP', lossless=True))
    content[21:25] = struct.pack('<I', 0x3fff | 0x3fff << 14)
    return bytes(content)


def vast_in_its_header(content: bytes) -> bytes:
    """The same AVIF or HEIC, with 65535 by 65535 pixels where it says how many."""
    start = content.index(b'ispe') + 8
    return content[:start] + struct.pack('>II', 65535, 65535) + content[start + 8:]


def vast_jpeg() -> bytes:
    content = bytearray(saved(scene(8, 8), 'JPEG'))
    start = content.index(b'\xff\xc0') + 5
    content[start:start + 4] = struct.pack('>HH', 65500, 65500)
    return bytes(content)


def gif_of_many_frames() -> bytes:
    return b'GIF89a' + struct.pack('<HHBBB', 1, 1, 0, 0, 0) + gif_frame(1) * 10_000 + b';'


def webp_of_many_frames() -> bytes:
    content = saved(scene(2, 2), 'WEBP', save_all=True, append_images=[scene(2, 2).rotate(90)], duration=9)
    frame = content[content.index(b'ANMF'):]
    frame = frame[:8 + int.from_bytes(frame[4:8], 'little')]
    body = content[8:] + frame * 10_000
    return b'RIFF' + struct.pack('<I', len(body)) + body


def png_of_many_frames() -> bytes:
    frames = b''
    for number in range(10_000):
        frames += png_chunk(b'fcTL', struct.pack('>IIIIIHHBB', 2 * number, 1, 1, 0, 0, 1, 9, 0, 0))
        frames += png_chunk(b'fdAT', struct.pack('>I', 2 * number + 1) + zlib.compress(b'\0\0'))
    return png(1, 1, 8, 0, b'\0\0', png_chunk(b'acTL', struct.pack('>II', 10_000, 0)), frames)


def vast_sum_of_frames() -> bytes:
    """Within the limits, each by itself: 250 frames of a megapixel."""
    return b'GIF89a' + struct.pack('<HHBBB', 1000, 1000, 0, 0, 0) + gif_frame(1) * 250 + b';'


def many_texts() -> bytes:
    """Each one a megabyte, packed in a kilobyte."""
    text = png_chunk(b'zTXt', b'a\0\0' + zlib.compress(bytes(1_000_000)))
    return png(1, 1, 8, 0, b'\0\0', text * 2_000)


def vast_text() -> bytes:
    return png(1, 1, 8, 0, b'\0\0', png_chunk(b'iTXt', b'a\0\1\0\0\0' + zlib.compress(bytes(100_000_000))))


def vast_profile() -> bytes:
    return png(1, 1, 8, 0, b'\0\0', png_chunk(b'iCCP', b'a\0\0' + zlib.compress(bytes(100_000_000))))


def profile_of_many_tags() -> bytes:
    profile = pictures.P3_PROFILE[:128] + struct.pack(
        '>I', 0xffffffff
    ) + b'rTRC\0\0\0\x80\0\0\xff\xff' * 1_000
    return saved(scene(), 'JPEG', icc_profile=struct.pack('>I', len(profile)) + profile[4:])


def exif_of_many_entries() -> bytes:
    entries = struct.pack('>HHII', 0x9286, 7, 0xffffffff, 8) * 5_000
    return saved(scene(), 'JPEG', exif=b'Exif\0\0MM\0*\0\0\0\x08\xff\xff' + entries)


def exif_that_bites_its_tail() -> bytes:
    return saved(scene(), 'JPEG', exif=b'Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\x08')


def jpeg_of_many_scans() -> bytes:
    """Each scan of some bytes is a walk over all of 24 megapixels."""
    content = saved(Image.new('L', (6_000, 4_000)), 'JPEG', progressive=True)
    last = content.rindex(b'\xff\xda')
    return content[:last] + content[last:-2] * 20_000 + b'\xff\xd9'


def gif_of_endless_codes() -> bytes:
    """Clear codes and nothing else."""
    return b'GIF89a' + struct.pack('<HHBBB', 5_000, 5_000, 0, 0, 0) + b',' + struct.pack(
        '<HHHHB', 0, 0, 5_000, 5_000, 0
    ) + b'\x02' + (b'\xff' + b'\x24\x49\x92' * 85) * 30_000 + b'\0;'


def many_empty_chunks() -> bytes:
    return png(1, 1, 8, 0, b'\0\0', png_chunk(b'prIv', b'') * 800_000)


HOSTILE: dict[str, Callable[[], bytes]] = {
    'PNG of 400 megapixels': vast_png,
    'GIF of 65535 a side': vast_gif,
    'GIF with a frame of 65535 a side': gif_with_a_vast_frame,
    'WebP of 16383 a side': vast_webp,
    'lossless WebP of 16384 a side': vast_lossless_webp,
    'AVIF of 65535 a side': lambda: vast_in_its_header(saved(scene(), 'AVIF')),
    'HEIC of 65535 a side': lambda: vast_in_its_header(pictures.HEIC),
    'JPEG of 65500 a side': vast_jpeg,
    'GIF of 10,000 frames': gif_of_many_frames,
    'WebP of 10,000 frames': webp_of_many_frames,
    'PNG of 10,000 frames': png_of_many_frames,
    'GIF of frames that sum up': vast_sum_of_frames,
    'PNG of many texts': many_texts,
    'PNG with a vast text': vast_text,
    'PNG with a vast profile': vast_profile,
    'PNG of many empty chunks': many_empty_chunks,
    'profile of many tags': profile_of_many_tags,
    'EXIF of many entries': exif_of_many_entries,
    'EXIF that bites its tail': exif_that_bites_its_tail,
    'JPEG of many scans': jpeg_of_many_scans,
    'GIF of endless codes': gif_of_endless_codes,
}

# Small ones of every way through the codec, to be damaged.
SMALL: dict[str, Callable[[], bytes]] = {
    'JPEG': lambda: saved(scene(), 'JPEG', exif=pictures.exif(6), icc_profile=pictures.P3_PROFILE),
    'progressive CMYK JPEG': lambda: saved(
        scene(mode='CMYK'), 'JPEG', progressive=True, icc_profile=pictures.CMYK_PROFILE
    ),
    'MPO': lambda: pictures.mpo(scene()),
    'PNG': lambda: pictures.talkative_png(scene(40, 20, 'RGBA'), 3),
    'palette PNG': lambda: saved(scene(40, 20).quantize(16), 'PNG', transparency=3),
    'animated PNG': lambda: pictures.animated('PNG'),
    'GIF': pictures.gif_with_local_palettes,
    'WebP': lambda: saved(scene(40, 20, 'RGBA'), 'WEBP', exif=pictures.exif(6)),
    'lossless WebP': lambda: saved(scene(40, 20), 'WEBP', lossless=True, icc_profile=pictures.P3_PROFILE),
    'animated WebP': lambda: pictures.animated('WEBP'),
    'AVIF': lambda: saved(scene(40, 20, 'RGBA'), 'AVIF', exif=pictures.exif(6)),
    'animated AVIF': lambda: pictures.animated('AVIF'),
    'HEIC': lambda: pictures.TURNED_HEIC,
    'HEIC with alpha': lambda: pictures.HEIC_WITH_ALPHA,
}  # yapf: disable


def damaged(content: bytes, random: Random) -> bytes:
    """Change some bits, or cut something out, or repeat it."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(changed))
        match random.randrange(6):
            case 0:
                del changed[start:start + random.randint(1, 8)]
            case 1:
                changed[start:start] = changed[start:start + random.randint(1, 8)]
            case 2:
                changed[start] = random.choice((0, 1, 0x7f, 0x80, 0xff))
            case _:
                changed[start] ^= 1 << random.randrange(8)
    return bytes(changed)
