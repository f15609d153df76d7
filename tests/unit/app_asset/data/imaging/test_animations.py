import struct

import pytest
from PIL import Image

from talelio_backend.app_asset.business.image import ImageKind
from tests.support import pictures
from tests.support.codec import prepare, prepare_avatar
from tests.support.pictures import animated, difference, fading, frames_of, opened

EXACT = {
    'GIF': animated('GIF'),
    'opaque GIF': animated('GIF', 'RGB'),
    'GIF that goes back to nothing': animated('GIF', disposal=2),
    'GIF with palettes of its frames': pictures.gif_with_local_palettes(),
    'fading lossless WebP': fading('WEBP', lossless=True, exact=True),
    'lossless WebP': animated('WEBP', lossless=True),
    'opaque lossless WebP': animated('WEBP', 'RGB', lossless=True),
}
LOSSY = {
    'fading WebP': fading('WEBP', quality=95),
    'WebP': animated('WEBP', quality=90),
    'opaque WebP': animated('WEBP', 'RGB', quality=90),
    'WebP of both kinds of frames': animated('WEBP', allow_mixed=True),
}


@pytest.mark.parametrize('name', EXACT | LOSSY)
def test_an_animation_keeps_its_frames_and_durations(name: str) -> None:
    content = (EXACT | LOSSY)[name]
    made = prepare(content)
    before, after = frames_of(content), frames_of(made.content)

    assert len(before) == len(after) == 3
    assert [duration for _, duration in after] == [duration for _, duration in before]
    assert max(difference(one, other)
               for (one, _), (other, _) in zip(before, after)) <= (0 if name in EXACT else 3)
    assert (made.width, made.height) == opened(content).size
    assert made.kind is ImageKind[opened(content).format or ''] is ImageKind[opened(made.content).format
                                                                             or '']


@pytest.mark.parametrize('kind', ['GIF', 'WEBP'])
@pytest.mark.parametrize('loop', [0, 1, 7])
def test_an_animation_keeps_its_loop_count(kind: str, loop: int) -> None:
    content = animated(kind, loop=loop)

    assert opened(prepare(content).content).info['loop'] == loop


def test_a_gif_without_repetition_stays_so() -> None:
    content = animated('GIF', loop=None)
    assert 'loop' not in opened(content).info

    assert 'loop' not in opened(prepare(content).content).info


@pytest.mark.parametrize('name', EXACT)
def test_an_animation_does_not_grow(name: str) -> None:
    assert len(prepare(EXACT[name]).content) < 1.1 * len(EXACT[name])


@pytest.mark.parametrize('kind', ['GIF', 'WEBP'])
def test_an_animation_has_no_variants_but_a_placeholder(kind: str) -> None:
    first, *others = [frame.resize((400, 300)) for frame in pictures.animation_frames()]
    content = pictures.saved(first, kind, save_all=True, append_images=others, duration=50)
    made = prepare(content)

    assert not made.variants
    assert made.placeholder.startswith('data:image/webp;base64,')


def test_a_still_gif_stays_a_gif_and_has_variants() -> None:
    content = pictures.saved(pictures.scene(400, 300).quantize(200), 'GIF', interlace=1)
    made = prepare(content)

    assert (made.kind, getattr(opened(made.content), 'n_frames')) == (ImageKind.GIF, 1)
    assert difference(opened(made.content), opened(content)) == 0
    assert [variant.width for variant in made.variants] == [320]


def test_a_gif_without_a_trailer_is_accepted() -> None:
    content = animated('GIF')

    assert len(frames_of(prepare(content[:-1]).content)) == 3


@pytest.mark.parametrize('kind', ['PNG', 'AVIF'])
def test_other_animations_become_their_first_frame(kind: str) -> None:
    first, *others = [frame.resize((400, 300)) for frame in pictures.animation_frames()]
    made = prepare(pictures.saved(first, kind, save_all=True, append_images=others, duration=50))

    assert (made.kind, len(frames_of(made.content))) == (ImageKind[kind], 1)
    assert difference(opened(made.content), first) < 3
    assert [variant.width for variant in made.variants] == [320]


def test_an_animated_png_becomes_its_default_image() -> None:
    content = pictures.saved(
        pictures.scene(60, 40),
        'PNG',
        save_all=True,
        default_image=True,
        append_images=pictures.animation_frames(),
        duration=50
    )

    assert difference(opened(prepare(content).content), pictures.scene(60, 40)) == 0


def test_the_control_of_a_gif_frame_does_not_apply_to_the_next() -> None:
    frame = b',' + struct.pack('<HHHHB', 0, 0, 1, 1, 0) + b'\2\2\x44\1\0'
    other = b',' + struct.pack('<HHHHB', 0, 0, 1, 1, 0x80) + bytes([9, 9, 9, 200, 0, 0]) + b'\2\2\x4c\1\0'
    content = b'GIF89a\2\0\2\0\0\0\0!\xf9\4\0\x0a\0\0\0' + frame + other + b';'

    assert [duration for _, duration in frames_of(content)] == [100, 0]
    assert [duration for _, duration in frames_of(prepare(content).content)] == [100, 0]


def test_a_first_frame_with_a_grey_table_keeps_its_greys() -> None:
    greys = bytes([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
    frame = b',' + struct.pack('<HHHHB', 1, 1, 1, 1, 0x81) + greys + b'\2\2\x44\1\0'
    content = b'GIF89a\2\0\2\0\x80\0\0' + bytes([255, 0, 0, 0, 255, 0]) + frame + b';'
    avatar = opened(prepare_avatar(content).content)

    assert max(avatar.crop((400, 400, 512, 512)).convert('RGB').tobytes()) < 20
    assert avatar.convert('RGBA').crop((0, 0, 90, 90)).getchannel('A').getextrema() == (0, 0)


def test_the_canvas_of_a_gif_grows_to_hold_its_frames() -> None:
    content = bytearray(animated('GIF'))
    content[6:10] = struct.pack('<HH', 1, 1)
    made = prepare(bytes(content))

    assert (made.width, made.height) == opened(made.content).size == (60, 40)


def test_grey_gif_frames_keep_their_greys() -> None:
    """Pillow ignores a palette of ascending greys."""
    greys = Image.linear_gradient('L')
    content = pictures.saved(
        greys, 'GIF', save_all=True, append_images=[greys.rotate(90)], duration=90, optimize=False
    )
    before, after = frames_of(content), frames_of(prepare(content).content)

    assert [difference(one, other) for (one, _), (other, _) in zip(before, after)] == [0, 0]
