import re
from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from talelio_backend.app_asset.business.errors import DAMAGED, ImageTooLarge, InvalidImageType
from tests.support import pictures
from tests.support.codec import prepare, prepared
from tests.support.pictures import difference, laid, opened, saved, scene

CASES = Path(__file__).parent / 'cases'


def jpeg(content: bytes) -> JpegImageFile:
    image = prepared(content)
    assert isinstance(image, JpegImageFile)
    return image


QUALITY_TABLES = {0: [1 + n for n in range(64)], 1: [70 + n for n in range(64)]}


@pytest.mark.parametrize('orientation', [1, 6])
def test_a_jpeg_keeps_its_quality(orientation: int) -> None:
    stored = laid(scene(), orientation)
    content = saved(stored, 'JPEG', qtables=QUALITY_TABLES, subsampling=0, exif=pictures.exif(orientation))
    made = jpeg(content)
    turned = {
        key: [table[8 * (n % 8) + n // 8] for n in range(64)] if orientation == 6 else table
        for key, table in QUALITY_TABLES.items()
    }

    assert [made.quantization[table] for _, _, _, table in made.layer] == [turned[0], turned[1], turned[1]]


def test_rotating_a_jpeg_loses_almost_no_quality() -> None:
    """These tables are not symmetric, so they must be rotated with the pixels."""
    content = saved(laid(scene(), 6), 'JPEG', qtables=QUALITY_TABLES, subsampling=0, exif=pictures.exif(6))
    upright = opened(content).transpose(Image.Transpose.ROTATE_270)

    assert difference(prepared(content), upright) < 0.5


@pytest.mark.parametrize(('subsampling', 'orientation', 'kept'), [
    ('4:4:4', 1, (1, 1)), ('4:2:2', 1, (2, 1)), ('4:2:0', 1, (2, 2)),
    ('4:4:4', 6, (1, 1)), ('4:2:2', 6, (1, 1)), ('4:2:0', 6, (2, 2)), ('4:2:2', 3, (2, 1)),
])  # yapf: disable
def test_a_jpeg_keeps_its_chroma_subsampling(
    subsampling: str, orientation: int, kept: tuple[int, int]
) -> None:
    made = jpeg(saved(scene(), 'JPEG', subsampling=subsampling, exif=pictures.exif(orientation)))

    assert made.layer[0][1:3] == kept


@pytest.mark.parametrize('progressive', [True, False])
def test_a_progressive_jpeg_stays_progressive(progressive: bool) -> None:
    made = prepared(saved(scene(), 'JPEG', progressive=progressive))

    assert bool(made.info.get('progressive')) is progressive


def test_progressive_noise_of_the_highest_quality_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow's buffer is too small for the progressive encoding."""
    noise = Image.effect_noise((600, 600), 250)
    image = Image.merge('RGB', (noise, noise.rotate(90), noise.rotate(180)))

    with monkeypatch.context() as patch:
        patch.setattr(ImageFile, 'MAXBLOCK', 8 * 1024 * 1024)
        content = saved(image, 'JPEG', quality=100, subsampling=0, progressive=True)

    assert difference(prepared(content), image) < 2


@pytest.mark.parametrize('lacking', [1, 2])
@pytest.mark.parametrize('progressive', [True, False])
def test_a_jpeg_that_lacks_only_its_end_marker_is_complete(progressive: bool, lacking: int) -> None:
    content = saved(scene(300, 200), 'JPEG', progressive=progressive)

    assert difference(prepared(content[:-lacking]), opened(content)) < 1


def test_a_photo_that_lacks_only_its_end_marker_is_accepted() -> None:
    made = prepared((CASES / 'no-eoi.jpg').read_bytes())

    assert made.size == (1200, 800)


@pytest.mark.parametrize('progressive', [True, False])
def test_a_jpeg_that_lacks_pixels_is_damaged(progressive: bool) -> None:
    # Not random: where a stuffed zero follows the last byte of a scan, three missing bytes are no pixel.
    noise = Image.frombytes('RGB', (120, 80), Random(1).randbytes(120 * 80 * 3))
    content = saved(noise, 'JPEG', progressive=progressive)

    for lacking in (3, 4, 10, 40, 100, len(content) // 4):
        with pytest.raises(InvalidImageType) as caught:
            prepare(content[:-lacking])
        assert caught.value.reason == DAMAGED


def test_a_photo_that_lacks_a_tenth_of_its_pixels_is_damaged() -> None:
    with pytest.raises(InvalidImageType) as caught:
        prepare((CASES / 'cut-10.jpg').read_bytes())

    assert caught.value.reason == DAMAGED


def test_a_progressive_jpeg_that_lacks_whole_scans_is_damaged() -> None:
    content = saved(scene(300, 200), 'JPEG', progressive=True)
    starts = [mark.start() for mark in re.finditer(rb'\xff[\xc4\xda]', content)][-8:]

    for start in starts:
        with pytest.raises(InvalidImageType) as caught:
            prepare(content[:start])
        assert caught.value.reason == DAMAGED


def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded() -> None:
    content = saved(scene(640, 480), 'JPEG', progressive=True)
    last_scan = content[content.rindex(b'\xff\xda'):-2]
    scans = content.count(b'\xff\xda')

    assert prepare(content[:-2] + last_scan * (100 - scans) + content[-2:]).width == 640
    with pytest.raises(ImageTooLarge, match='One or more') as caught:
        prepare(content[:-2] + last_scan * (101 - scans) + content[-2:])
    assert caught.value.reason == '101 scans, at most 100 are taken'


def test_an_mpo_without_a_scan_in_its_first_image_is_damaged() -> None:
    content = pictures.mpo(scene()).replace(b'\xff\xda', b'\xff\xfe', 1)

    with pytest.raises(InvalidImageType) as caught:
        prepare(content)
    assert caught.value.reason == DAMAGED
