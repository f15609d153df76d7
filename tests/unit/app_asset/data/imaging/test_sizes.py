from base64 import b64decode
from dataclasses import replace

import pytest
from PIL import Image

from talelio_backend.app_asset.business.errors import ImageTooLarge
from talelio_backend.app_asset.business.image import ImageKind
from talelio_backend.app_asset.data.imaging import encoding, image_codec
from talelio_backend.app_asset.data.imaging.protocol import ImageLimits
from tests.support import pictures
from tests.support.codec import LIMITS, prepare, prepare_avatar, prepared
from tests.support.pictures import difference, laid, opened, saved, scene


@pytest.mark.parametrize(('width', 'widths'), [(319, []), (320, [320]), (1000, [320, 640, 960])])
@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'P', 'LA', '1'])
def test_variants_are_no_wider_than_the_image(mode: str, width: int, widths: list[int]) -> None:
    image = scene(width, 50, 'RGB').quantize(32) if mode == 'P' else scene(width, 50, mode)
    made = prepare(saved(image, 'PNG'))

    assert [variant.width for variant in made.variants] == widths
    for variant in made.variants:
        narrow = opened(variant.content)
        assert (narrow.format, narrow.width,
                narrow.height) == ('WEBP', variant.width, round(50 * variant.width / width))
        # Black and white patterns become grey.
        if mode != '1':
            assert difference(narrow, scene(*narrow.size, 'RGB' if mode == 'P' else mode)) < 9


def test_a_variant_of_a_black_and_white_image_has_greys() -> None:
    variant = prepare(saved(scene(640, 400, '1'), 'PNG')).variants[0]

    assert sum(opened(variant.content).convert('L').histogram()[80:176]) > 320 * 200 / 4


def test_another_kind_is_used_if_webp_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [saved(scene(mode=mode), 'WEBP') for mode in ('RGB', 'RGBA')]
    # An invalid quality. In practice, the encoder fails for large images with much detail.
    monkeypatch.setitem(encoding.OPTIONS, ImageKind.WEBP, {'quality': 101})
    images = [prepared(content) for content in contents]

    assert [(image.format, image.mode) for image in images] == [('JPEG', 'RGB'), ('PNG', 'RGBA')]


def test_a_variant_too_tall_for_webp_is_omitted() -> None:
    image = Image.new('L', (640, 16_384))
    made = image_codec.prepare(saved(image, 'PNG'), replace(LIMITS, pixels=640 * 16_384))

    assert [variant.width for variant in made.variants] == [320]


@pytest.mark.parametrize('image', [
    scene(), scene(mode='RGBA'), Image.new('L', (1, 1)), Image.new('L', (3000, 1)), Image.new('L', (1, 3000)),
    Image.effect_noise((64, 64), 255),
    Image.merge('RGBA', [Image.effect_noise((24, 24), 255) for _ in range(4)]),
], ids=['RGB', 'RGBA', 'dot', 'line', 'column', 'noise', 'noise of all channels'])  # yapf: disable
def test_a_placeholder_is_a_small_data_uri(image: Image.Image) -> None:
    placeholder = prepare(saved(image, 'PNG')).placeholder
    head, _, body = placeholder.partition(',')
    small = opened(b64decode(body, validate=True))

    assert head == 'data:image/webp;base64'
    assert len(placeholder) <= 600
    assert max(small.size) <= 24
    if max(image.size) > 64:
        assert difference(small.resize(image.size), image) < 20


@pytest.mark.parametrize('orientation', [1, 6])
def test_an_avatar_is_the_central_square(orientation: int) -> None:
    content = saved(laid(scene(900, 600), orientation), 'JPEG', exif=pictures.exif(orientation))
    avatar = prepare_avatar(content)
    image = opened(avatar.content)

    assert (avatar.kind, avatar.width, avatar.height) == (ImageKind.WEBP, 512, 512)
    assert (image.format, image.size) == ('WEBP', (512, 512))
    assert difference(image, scene(900, 600).crop((150, 0, 750, 600)).resize((512, 512))) < 3
    assert not avatar.variants and avatar.placeholder


@pytest.mark.parametrize('mode', ['RGBA', 'LA', 'P'])
def test_a_small_avatar_is_enlarged_and_keeps_its_alpha(mode: str) -> None:
    image = scene(40, 40, 'RGBA').quantize(64) if mode == 'P' else scene(40, 40, mode)
    made = opened(prepare_avatar(saved(image, 'PNG')).content)

    assert (made.size, made.mode) == ((512, 512), 'RGBA')
    assert difference(made, image.convert('RGBA').resize((512, 512))) < 5


@pytest.mark.parametrize('kind', ['GIF', 'PNG', 'WEBP', 'AVIF'])
def test_an_avatar_of_an_animation_is_its_first_frame(kind: str) -> None:
    made = opened(prepare_avatar(pictures.animated(kind)).content)
    first = pictures.animation_frames()[0].crop((10, 0, 50, 40)).resize((512, 512))

    assert getattr(made, 'n_frames', 1) == 1
    assert difference(made, first) < 6


def test_limits_apply_to_avatars() -> None:
    with pytest.raises(ImageTooLarge):
        prepare_avatar(saved(Image.new('1', (5000, 2001)), 'PNG'))


def test_lossless_webp_stays_lossless() -> None:
    noise = Image.effect_noise((60, 40), 90).convert('RGB')

    assert difference(prepared(saved(noise, 'WEBP', lossless=True)), noise) == 0


@pytest.mark.parametrize(('kind', 'mode', 'lossless', 'stored'), [
    ('AVIF', 'RGB', False, 'JPEG'), ('AVIF', 'RGBA', False, 'PNG'), ('WEBP', 'RGBA', False, 'PNG'),
    ('WEBP', 'RGB', True, 'PNG'), ('WEBP', 'RGB', False, 'WEBP'),
])  # yapf: disable
def test_another_kind_is_used_if_the_encoder_needs_too_much_memory(
    monkeypatch: pytest.MonkeyPatch, kind: str, mode: str, lossless: bool, stored: str
) -> None:
    options = {'lossless': True} if lossless else {}
    content = saved(scene(mode=mode), kind, **options)
    monkeypatch.setattr(encoding, 'COSTLY_PIXELS', 96 * 64)
    assert opened(prepare(content).content).format == kind
    monkeypatch.setattr(encoding, 'COSTLY_PIXELS', 96 * 64 - 1)
    image = prepared(content)

    assert (image.format, image.mode) == (stored, mode)
    assert difference(image, scene(mode=mode)) < 3


def test_an_image_that_grows_to_a_multiple_of_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = Image.effect_noise((300, 300), 90).convert('RGB')
    content = saved(noise, 'WEBP', lossless=True)
    monkeypatch.setattr(encoding, 'COSTLY_PIXELS', 1)
    made = len(prepare(content).content)

    def limits(size: int) -> ImageLimits:
        return ImageLimits(bytes=size, pixels=90_000, frames=1, summed_pixels=1)

    image_codec.prepare(content, limits(made // 3 + 1))
    with pytest.raises(ImageTooLarge):
        image_codec.prepare(content, limits(made // 3 - 1))
