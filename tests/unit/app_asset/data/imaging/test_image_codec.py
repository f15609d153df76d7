import zlib
from base64 import b64decode
from io import BytesIO

import pytest
from PIL import Image, ImageCms

from talelio_backend.app_asset.business.errors import DAMAGED, ImageTooLarge, InvalidImageType
from talelio_backend.app_asset.business.image import ImageKind
from tests.support import pictures
from tests.support.codec import prepare, prepare_avatar, prepared
from tests.support.pictures import difference, laid, opened, saved, scene


@pytest.mark.parametrize('mode', ['RGB', 'RGBA'])
@pytest.mark.parametrize('kind', ['PNG', 'WEBP', 'AVIF'])
def test_an_image_keeps_its_kind_and_appearance(kind: str, mode: str) -> None:
    made = prepare(saved(scene(mode=mode), kind))

    assert (made.kind, made.width, made.height) == (ImageKind[kind], 96, 64)
    assert opened(made.content).format == kind
    assert opened(made.content).mode == mode
    assert difference(opened(made.content), scene(mode=mode)) < 3


@pytest.mark.parametrize('mode', ['RGB', 'L'])
def test_a_jpeg_keeps_its_kind_and_appearance(mode: str) -> None:
    image = prepared(saved(scene(mode=mode), 'JPEG', quality=90))

    assert (image.format, image.mode) == ('JPEG', mode)
    assert difference(image, scene(mode=mode)) < 2


def test_an_mpo_becomes_its_first_image() -> None:
    content = pictures.mpo(scene())
    assert opened(content).format == 'MPO'
    made = prepare(content)

    assert (made.kind, opened(made.content).format) == (ImageKind.JPEG, 'JPEG')
    assert difference(opened(made.content), scene()) < 2
    assert made.content.count(b'\xff\xd8\xff') == 1


def test_heic_becomes_jpeg() -> None:
    image = prepared(pictures.HEIC)

    assert (image.format, image.mode) == ('JPEG', 'RGB')
    assert difference(image, scene()) < 2


def test_heic_with_alpha_becomes_webp() -> None:
    image = prepared(pictures.HEIC_WITH_ALPHA)

    assert (image.format, image.mode) == ('WEBP', 'RGBA')
    assert difference(image, scene(mode='RGBA')) < 2


NOT_TAKEN = {
    'nothing': b'',
    'text': b'Hello',
    'SVG': b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    'HTML': b'<!DOCTYPE html><img src="a">',
    'PDF': b'%PDF-1.7\n',
    'TIFF': saved(scene(), 'TIFF'),
    'BMP': saved(scene(), 'BMP'),
    'ICO': saved(scene(), 'ICO'),
    'EPS': saved(scene(), 'EPS'),
    'JPEG 2000': saved(scene(), 'JPEG2000'),
    'TGA': saved(scene(), 'TGA'),
    'PSD': b'8BPS\0\1' + bytes(100),
    'MP4': b'\0\0\0\x18ftypisom\0\0\0\1isomavc1' + bytes(100),
    'WAVE': b'RIFF\x24\0\0\0WAVEfmt ' + bytes(100),
}  # yapf: disable


@pytest.mark.parametrize('name', NOT_TAKEN)
def test_other_kinds_of_files_are_refused(name: str) -> None:
    with pytest.raises(InvalidImageType) as caught:
        prepare(NOT_TAKEN[name])

    assert caught.value.reason == 'not a JPEG, PNG, GIF, WebP, AVIF or HEIC picture'


DAMAGED_FILES = {
    'PNG by its first bytes alone': b'\x89PNG\r\n\x1a\n<script>alert(1)</script>',
    'GIF by its first bytes alone': b'GIF89a<script>alert(1)</script>',
    'JPEG by its first bytes alone': b'\xff\xd8\xff\xe0<script>alert(1)</script>',
    'palette PNG without a palette': pictures.png(2, 2, 8, 3, bytes(6)),
    'PNG that lacks pixels': saved(scene(), 'PNG')[:-30],
    'WebP that lacks pixels': saved(scene(), 'WEBP')[:-30],
    'AVIF that lacks pixels': saved(scene(), 'AVIF')[:-30],
    'GIF that lacks pixels': saved(scene(), 'GIF')[:-30],
    'HEIC that lacks pixels': pictures.HEIC[:-30],
}  # yapf: disable


@pytest.mark.parametrize('name', DAMAGED_FILES)
def test_an_incomplete_image_is_damaged(name: str) -> None:
    with pytest.raises(InvalidImageType) as caught:
        prepare(DAMAGED_FILES[name])

    assert caught.value.reason == DAMAGED


@pytest.mark.parametrize('lacking', [1, 6, 12])
def test_a_png_that_lacks_only_its_end_chunk_is_accepted(lacking: int) -> None:
    assert difference(prepared(saved(scene(), 'PNG')[:-lacking]), scene()) == 0


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'AVIF'])
def test_the_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    content = saved(laid(scene(), orientation), kind, exif=pictures.exif(orientation), quality=90)
    made = prepare(content)

    assert (made.width, made.height) == (96, 64)
    assert difference(opened(made.content), scene()) < 3
    assert not opened(made.content).getexif()


def test_exif_does_not_rotate_a_heic_that_has_its_own_rotation() -> None:
    profile = ImageCms.ImageCmsProfile(BytesIO(pictures.TURNED_HEIC_PROFILE))
    expected = ImageCms.profileToProfile(scene(), profile, ImageCms.createProfile('sRGB'))

    assert expected is not None
    assert difference(prepared(pictures.TURNED_HEIC), expected) < 3


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP'])
def test_malformed_exif_is_ignored(kind: str) -> None:
    assert difference(prepared(saved(scene(), kind, exif=pictures.malformed_exif())), scene()) < 3



TALKATIVE = {
    'JPEG': pictures.phone_jpeg(400, 300),
    'PNG': pictures.talkative_png(scene(400, 300)),
    'palette PNG': pictures.talkative_png(scene(400, 300).quantize(64)),
    'WebP': saved(scene(400, 300), 'WEBP', exif=pictures.exif(), xmp=pictures.XMP) + pictures.ZIP,
    'AVIF': saved(scene(400, 300), 'AVIF', exif=pictures.exif(), xmp=pictures.XMP) + pictures.ZIP,
    'HEIC': pictures.TURNED_HEIC + pictures.ZIP,
    'GIF': saved(scene(400, 300), 'GIF', comment=b'SECRET') + pictures.ZIP,
    'animated GIF': pictures.animated('GIF', comment=b'SECRET') + pictures.ZIP,
    'animated PNG': pictures.animated('PNG', exif=pictures.exif()) + pictures.ZIP,
    'animated WebP': pictures.animated('WEBP', exif=pictures.exif(), xmp=pictures.XMP) + pictures.ZIP,
    'animated AVIF': pictures.animated('AVIF', exif=pictures.exif(), xmp=pictures.XMP) + pictures.ZIP,
}  # yapf: disable


@pytest.mark.parametrize('name', TALKATIVE)
def test_only_pixels_are_kept(name: str) -> None:
    assert pictures.SECRET in TALKATIVE[name]
    made = prepare(TALKATIVE[name])
    avatar = prepare_avatar(TALKATIVE[name])
    placeholder = b64decode(made.placeholder.partition(',')[2])

    for content in (
        made.content, avatar.content, placeholder, *(variant.content for variant in made.variants)
    ):
        for trace in (
            pictures.SECRET, b'PK\3\4', b'Exif', b'EXIF', b'eXIf', b'tEXt', b'iTXt', b'xmp', b'XMP'
        ):
            assert trace not in content
        assert not opened(content).getexif()
        assert opened(content).info.keys() <= {
            'jfif', 'jfif_version', 'jfif_unit', 'jfif_density', 'icc_profile', 'loop', 'background',
            'timestamp', 'duration', 'version', 'transparency', 'extension', 'default_image', 'bbox',
            'disposal', 'blend'
        }


@pytest.mark.parametrize('size', [(5000, 2000), (2000, 5000)])
def test_the_number_of_pixels_is_limited(size: tuple[int, int]) -> None:
    assert prepare(saved(Image.new('1', size), 'PNG')).width == size[0]
    with pytest.raises(ImageTooLarge) as caught:
        prepare(saved(Image.new('1', (size[0] + 1, size[1])), 'PNG'))

    assert caught.value.reason == (
        f'{(size[0] + 1) * size[1]:,} pixels ({size[0] + 1} x {size[1]}), at most 10,000,000 are taken'
    )


@pytest.mark.parametrize('name', [b'zTXt', b'iTXt'])
def test_png_texts_of_any_size_are_ignored(name: bytes) -> None:
    text = zlib.compress(bytes(2_000_000))
    chunk = pictures.png_chunk(name, b'a\0\0' + text if name == b'zTXt' else b'a\0\1\0\0\0' + text)

    assert prepare(pictures.png(1, 1, 8, 0, b'\0\7', chunk)).width == 1
