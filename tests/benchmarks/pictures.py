"""Photographs to upload, with as much detail as a telephone's."""
import random
from io import BytesIO

from PIL import Image, ImageFilter

from tests.benchmarks.http_load import message
from tests.support.members import Member

_ORIENTATION_TAG = 0x0112
_BOUNDARY = 'between-the-parts-of-a-form'


def photograph(seed: int, size: tuple[int, int]) -> bytes:
    """Some 4 MB at 12 megapixels; portrait as a phone stores it: landscape, with a note to turn it."""
    width, height = size[0] // 8, size[1] // 8
    dice = random.Random(seed)
    small = Image.frombytes('RGB', (width, height),
                            dice.randbytes(width * height * 3)).filter(ImageFilter.GaussianBlur(2))
    grain = Image.effect_noise(size, 12).convert('RGB')
    image = Image.blend(small.resize(size, Image.Resampling.BICUBIC), grain, 0.25)
    exif = Image.Exif()
    exif[_ORIENTATION_TAG] = 6
    file = BytesIO()
    image.save(file, 'JPEG', quality=92, exif=exif)
    return file.getvalue()


def largest(seed: int, side: int) -> bytes:
    """A PNG of the mode that needs the most memory; about as much as 10 MiB hold at 25 megapixels."""
    square = (side, side)
    gradient = Image.linear_gradient('L').resize(square)
    grain = Image.effect_noise(square, 0.2)
    alpha = Image.radial_gradient('L').resize(square)
    image = Image.merge('RGBA', (grain, gradient, gradient, alpha))
    image.putpixel((0, 0), (seed, 0, 0, 255))
    file = BytesIO()
    image.save(file, 'PNG', compress_level=4)
    return file.getvalue()


def upload_of(member: Member, picture: bytes) -> bytes:
    part = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="picture"; filename="picture"\r\n'
        'Content-Type: image/jpeg\r\n\r\n'
    ).encode()
    return message(
        'POST', '/v1/assets/images',
        member.bearer | {'Content_Type': f'multipart/form-data; boundary={_BOUNDARY}'},
        part + picture + f'\r\n--{_BOUNDARY}--\r\n'.encode()
    )
