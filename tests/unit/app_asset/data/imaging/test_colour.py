import pytest
from PIL import Image, ImageChops
from PIL.JpegImagePlugin import JpegImageFile

from talelio_backend.app_asset.data.imaging.colour import DISPLAY_P3
from tests.support import pictures
from tests.support.codec import prepare, prepare_avatar, prepared
from tests.support.pictures import difference, opened, saved, scene


def pixel(image: Image.Image, x: int = 0) -> tuple[int, ...]:
    return tuple(image.crop((x, 0, x + 1, 1)).tobytes())


def test_cmyk_without_a_profile_becomes_rgb() -> None:
    content = saved(scene(mode='CMYK'), 'JPEG', quality=40)
    image = prepared(content)

    assert (image.format, image.mode) == ('JPEG', 'RGB')
    assert difference(image, scene()) < 3
    # The conversion must not lose quality again.
    assert isinstance(image, JpegImageFile) and max(image.quantization[0]) < 20


def test_cmyk_is_converted_by_its_profile() -> None:
    cyan = Image.new('CMYK', (32, 32), (255, 0, 0, 0))
    image = prepared(saved(cyan, 'JPEG', quality=95, icc_profile=pictures.CMYK_PROFILE))
    red, green, blue = pixel(image, 16)

    # The profile maps cyan to a light red.
    assert red > 180 and green < 130 and blue < 130
    assert 'icc_profile' not in image.info


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'AVIF'])
def test_a_well_known_profile_is_replaced_with_the_generated_one(kind: str) -> None:
    content = saved(scene(400, 300), kind, icc_profile=pictures.P3_PROFILE + b'SECRET')
    made = prepare(content)
    avatar = prepare_avatar(content)

    for each in (made.content, avatar.content, *(variant.content for variant in made.variants)):
        assert opened(each).info['icc_profile'] == DISPLAY_P3
    assert difference(opened(made.content), scene(400, 300)) < 3


def test_a_well_known_profile_of_an_animation_is_replaced_with_the_generated_one() -> None:
    made = prepare(pictures.animated('WEBP', icc_profile=pictures.P3_PROFILE + b'SECRET'))

    assert opened(made.content).info['icc_profile'] == DISPLAY_P3


def test_a_table_profile_is_applied_to_a_palette_with_transparency() -> None:
    image = Image.new('P', (4, 1), 1)
    image.putpalette([0, 0, 0, 200, 90, 60])
    made = prepared(saved(image, 'PNG', icc_profile=pictures.TABLE_P3_PROFILE, transparency=bytes([255, 77])))

    assert pixel(made) == (217, 80, 45, 77)


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'P'])
def test_a_table_profile_is_applied(mode: str) -> None:
    image = Image.new(
        'RGBA' if mode == 'RGBA' else 'RGB', (32, 32), (200, 90, 60, 77)[:4 if mode == 'RGBA' else 3]
    )
    image = image.quantize(4) if mode == 'P' else image
    made = prepared(saved(image, 'PNG', icc_profile=pictures.TABLE_P3_PROFILE))

    assert 'icc_profile' not in made.info
    # The same red needs a higher level in sRGB than in P3.
    expected = Image.new('RGBA', (32, 32), (217, 80, 45, 77 if mode == 'RGBA' else 255))
    assert difference(made, expected) < 4
    assert pixel(made.convert('RGBA'))[3] == (77 if mode == 'RGBA' else 255)


def test_a_table_profile_is_applied_to_each_frame_of_an_animation() -> None:
    frames = [Image.new('RGB', (8, 8), (200, 90, 60 + number)) for number in range(2)]
    profile = pictures.TABLE_P3_PROFILE
    content = saved(
        frames[0],
        'WEBP',
        save_all=True,
        append_images=frames[1:],
        duration=50,
        icc_profile=profile,
        lossless=True
    )

    for frame, _ in pictures.frames_of(prepare(content).content):
        assert difference(frame, Image.new('RGB', (8, 8), (217, 80, 45))) < 4


@pytest.mark.parametrize('mode', ['L', 'LA'])
def test_grey_with_a_profile_stays_grey(mode: str) -> None:
    image = Image.new(mode, (16, 16), 128 if mode == 'L' else (128, 77))
    made = prepared(saved(image, 'PNG', icc_profile=pictures.LINEAR_GREY_PROFILE))

    assert 'icc_profile' not in made.info
    assert made.mode == mode
    assert pixel(made, 0) == ((188, ) if mode == 'L' else (188, 77))


@pytest.mark.parametrize('profile', [
    b'SECRET' * 50, pictures.P3_PROFILE[:-10], pictures.P3_PROFILE[:100], pictures.LINEAR_GREY_PROFILE,
    pictures.CMYK_PROFILE, pictures.P3_PROFILE[:16] + b'\x80\x81\x82\x83' + pictures.P3_PROFILE[20:]
], ids=['no profile', 'cut', 'cut in its header', 'of greys', 'of inks', 'of no name'])  # yapf: disable
def test_a_profile_that_does_not_fit_is_dropped(profile: bytes) -> None:
    image = prepared(saved(scene(), 'PNG', icc_profile=profile))

    assert 'icc_profile' not in image.info
    assert difference(image, scene()) == 0


def test_a_palette_keeps_its_transparency() -> None:
    image = Image.new('P', (4, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    image.putdata([0, 1, 2, 3])
    made = prepared(saved(image, 'PNG', transparency=bytes([255, 128, 0, 255])))

    assert made.mode == 'P'
    pixels = made.convert('RGBA')
    assert [pixel(pixels, x) for x in range(2)] == [(255, 0, 0, 255), (0, 255, 0, 128)]
    assert pixel(pixels, 2)[3] == 0


def test_16_bits_of_grey_become_8() -> None:
    rows = b'\0' + b''.join(level.to_bytes(2) for level in (0, 257, 32_768, 65_535))
    made = prepared(pictures.png(4, 1, 16, 0, rows))

    assert (made.mode, list(made.tobytes())) == ('L', [0, 1, 127, 255])


def test_16_bits_of_colour_become_8() -> None:
    rows = b'\0' + b''.join(level.to_bytes(2) for level in (0, 32_768, 65_535))
    made = prepared(pictures.png(1, 1, 16, 2, rows))

    assert (made.mode, list(made.tobytes())) == ('RGB', [0, 128, 255])


@pytest.mark.parametrize(('depth', 'row', 'transparent', 'greys'), [
    (1, b'\x40', 1, [0, 255]), (2, b'\x60', 2, [85, 170]), (4, b'\x3a', 10, [51, 170]),
    (8, b'\x03\x0a', 10, [3, 10]), (16, b'\x03\x03\x03\x04', 0x0304, [3, 3]),
])  # yapf: disable
def test_a_transparent_grey(depth: int, row: bytes, transparent: int, greys: list[int]) -> None:
    chunk = pictures.png_chunk(b'tRNS', transparent.to_bytes(2))
    made = prepared(pictures.png(2, 1, depth, 0, b'\0' + row, chunk))

    assert made.mode == 'LA'
    assert [pixel(made, x) for x in range(2)] == [(greys[0], 255), (greys[1], 0)]


@pytest.mark.parametrize(('depth', 'row'), [(8, bytes([9, 8, 7, 6, 5, 4])),
                                            (16, bytes([9, 1, 8, 1, 7, 1, 6, 1, 5, 1, 4, 1]))])
def test_a_transparent_colour(depth: int, row: bytes) -> None:
    transparent = row[len(row) // 2:]
    if depth == 8:
        transparent = b''.join(bytes([0, level]) for level in transparent)
    made = prepared(pictures.png(2, 1, depth, 2, b'\0' + row, pictures.png_chunk(b'tRNS', transparent)))

    assert [pixel(made, x) for x in range(2)] == [(9, 8, 7, 255), (6, 5, 4, 0)]


def test_an_interlaced_png() -> None:
    content = pictures.interlaced_png(scene())
    assert opened(content).info['interlace'] == 1

    assert difference(prepared(content), scene()) == 0


@pytest.mark.parametrize('mode', ['1', 'L', 'LA'])
def test_a_grey_png_is_unchanged(mode: str) -> None:
    image = scene(400, 300, mode)
    made = prepare(saved(image, 'PNG'))

    assert opened(made.content).mode == mode
    assert ImageChops.difference(opened(made.content).convert('LA'), image.convert('LA')).getbbox() is None
    assert made.variants[0].width == 320
