import random
import struct
from io import BytesIO
from zipfile import ZipFile, is_zipfile

import pytest
from PIL import Image, ImageChops, ImageCms

from talelio_backend.app_asset.data.image_colour import in_stored_colours
from talelio_backend.app_asset.data.image_profile import rebuilt_profile
from tests.support import pictures
from tests.support.codec import prepare, prepare_avatar, prepared
from tests.support.pictures import (
    ADOBE_PRIMARIES,
    ADOBE_PROFILE,
    P3_PRIMARIES,
    P3_PROFILE,
    SRGB_PRIMARIES,
    TABLE_P3_PROFILE,
    TABLE_SRGB_PROFILE,
    WHITE,
    curve_table,
    difference,
    formula,
    gamma,
    opened,
    saved,
    scene,
    screen_profile,
    srgb_level,
    three_curves,
    xyz,
)

SRGB_FORMULA = formula(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
CHAD = b'sf32\0\0\0\0' + struct.pack('>9i', *(
    round(number * 65536)
    for number in (1.0479, 0.0229, -0.0502, 0.0296, 0.9905, -0.0171, -0.0092, 0.0151, 0.7517)
))  # yapf: disable
CUBE = bytes(level for r in range(0, 256, 15) for g in range(0, 256, 15) for b in range(0, 256, 15)
             for level in (r, g, b))  # yapf: disable
TAGS = WHITE | P3_PRIMARIES | three_curves(gamma(2.2))


def archive() -> bytes:
    file = BytesIO()
    with ZipFile(file, 'w') as entries:
        entries.writestr('evil.html', b'<script>SECRET</script>')
    return file.getvalue()


def with_size(profile: bytes) -> bytes:
    return struct.pack('>I', len(profile)) + profile[4:]


def with_private_tag(content: bytes) -> bytes:
    return screen_profile(TAGS | {b'prIv': b'data\0\0\0\0' + content})


def seen(profile: bytes) -> bytes:
    """Colours as sRGB shows them, and then with those that it cannot show."""
    cms, cube = ImageCms.ImageCmsProfile(BytesIO(profile)), Image.frombytes('RGB', (18**3, 1), CUBE)
    levels = b''
    for mode, shown in (('RGB', ImageCms.createProfile('sRGB')), ('LAB', ImageCms.createProfile('LAB'))):
        image = ImageCms.applyTransform(cube, ImageCms.buildTransform(cms, shown, 'RGB', mode))
        assert image is not None
        levels += image.tobytes()
    return levels


def farthest(one: bytes, other: bytes) -> int:
    return max(abs(a - b) for a, b in zip(seen(one), seen(other)))


KEPT = {
    'P3, version 2': screen_profile(TAGS),
    'P3, as Apple has it': screen_profile(
        WHITE | P3_PRIMARIES | three_curves(SRGB_FORMULA) | {b'chad': CHAD}, version=0x04000000
    ),
    'Adobe RGB': ADOBE_PROFILE,
    'linear': screen_profile(WHITE | ADOBE_PRIMARIES | three_curves(curve_table([]))),
    'scanner': screen_profile(TAGS, b'scnr'),
    'space': screen_profile(TAGS, b'spac'),
    'padding counted': screen_profile(TAGS | three_curves(gamma(1.8) + b'\0\0')),
    'three curves': screen_profile(TAGS | {b'rTRC': gamma(1.5), b'bTRC': formula(0, 1.9)}),
    'formula 0': screen_profile(WHITE | P3_PRIMARIES | three_curves(formula(0, 2.0)), version=0x04000000),
    'formula 1': screen_profile(TAGS | three_curves(formula(1, 2.0, 0.9, 0.1)), version=0x04000000),
    'formula 2': screen_profile(TAGS | three_curves(formula(2, 2.0, 0.8, 0.1, 0.1)), version=0x04000000),
    'formula 3': screen_profile(TAGS | three_curves(SRGB_FORMULA), version=0x04000000),
    'formula 4': screen_profile(
        TAGS | three_curves(formula(4, 2.4, 0.9, 0.05, 0.1, 0.04, 0.05, 0.02)), version=0x04000000
    ),
}  # yapf: disable


@pytest.mark.parametrize('name', KEPT)
def test_a_profile_of_numbers_shows_the_same_colours_when_written_anew(name: str) -> None:
    rebuilt = rebuilt_profile(KEPT[name])

    assert rebuilt is not None and len(rebuilt) < 640
    assert farthest(rebuilt, KEPT[name]) <= 1
    assert rebuilt_profile(rebuilt) == rebuilt
    made = prepared(saved(scene(), 'PNG', icc_profile=KEPT[name]))
    assert made.info['icc_profile'] == rebuilt


def test_the_new_profile_is_one_of_version_4_with_nothing_of_the_old_header() -> None:
    old = bytearray(KEPT['P3, as Apple has it'])
    for start, end in ((4, 8), (24, 36), (40, 68), (80, 128)):
        old[start:end] = b'\x77' * (end - start)
    rebuilt = rebuilt_profile(bytes(old))

    assert rebuilt == rebuilt_profile(KEPT['P3, as Apple has it'])
    assert rebuilt is not None and not any(rebuilt[24:36])
    made = ImageCms.ImageCmsProfile(BytesIO(rebuilt)).profile
    assert (made.version, made.device_class, made.profile_description) == (4.3, 'mntr', 'RGB')
    assert made.copyright == 'None'
    assert made.media_white_point is not None and made.chromatic_adaptation is not None


HIDING_PLACES = {
    'at its end': with_size(screen_profile(TAGS) + archive()),
    'in a private tag': with_private_tag(archive()),
    'as its copyright': screen_profile(TAGS | {b'cprt': b'text\0\0\0\0' + archive()}),
    'after a curve': screen_profile(TAGS | three_curves(gamma(2.2) + archive())),
    'after a colour': screen_profile(TAGS | {b'bXYZ': P3_PRIMARIES[b'bXYZ'] + archive()}),
    'in sRGB': with_size(TABLE_SRGB_PROFILE + archive()),
    'in a table': with_size(TABLE_P3_PROFILE + archive()),
}


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'AVIF'])
@pytest.mark.parametrize('place', HIDING_PLACES)
def test_an_archive_in_a_profile_is_not_passed_on(place: str, kind: str) -> None:
    profile = HIDING_PLACES[place]
    assert is_zipfile(BytesIO(profile))
    content = saved(scene(400, 300), kind, icc_profile=profile)
    made, avatar = prepare(content), prepare_avatar(content)

    for each in (made.content, avatar.content, *(variant.content for variant in made.variants)):
        assert not is_zipfile(BytesIO(each))
        assert opened(each).info.get('icc_profile') in (P3_PROFILE, None)
        for trace in (b'PK\3\4', b'PK\1\2', b'PK\5\6', b'evil.html', b'SECRET'):
            assert trace not in each


@pytest.mark.parametrize('kind', ['WEBP', 'PNG', 'AVIF'])
def test_nor_is_one_in_an_animation(kind: str) -> None:
    made = prepare(pictures.animated(kind, icc_profile=with_private_tag(archive())))

    assert opened(made.content).info['icc_profile'] == P3_PROFILE
    assert b'SECRET' not in made.content and not is_zipfile(BytesIO(made.content))


@pytest.mark.parametrize('text', [b'PK\5\6', b'<svg', b'    '])
def test_four_bytes_of_text_are_no_number(text: bytes) -> None:
    number = struct.unpack('>i', text)[0] / 65536

    for tags in ({
        b'gXYZ': xyz(0.3, number, 0.05)
    }, three_curves(formula(1, 2.2, number, 0)), {
        b'chad': CHAD[:-4] + text
    }):
        assert rebuilt_profile(screen_profile(TAGS | tags)) is None


SRGB = {
    'by tables':
    TABLE_SRGB_PROFILE,
    'by a formula':
    screen_profile(WHITE | SRGB_PRIMARIES | three_curves(SRGB_FORMULA), version=0x04000000),
    'by short tables':
    screen_profile(
        WHITE | SRGB_PRIMARIES | three_curves(curve_table([srgb_level(n / 255) for n in range(256)]))
    ),
}


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'P'])
@pytest.mark.parametrize('profile', SRGB.values(), ids=SRGB)
def test_srgb_is_not_stored_and_nothing_is_converted(profile: bytes, mode: str) -> None:
    image = scene().quantize(16) if mode == 'P' else scene(mode=mode)
    made = prepared(saved(image, 'PNG', icc_profile=profile))

    assert 'icc_profile' not in made.info
    assert made.mode == mode
    assert ImageChops.difference(made.convert('RGBA'), image.convert('RGBA')).getbbox() is None


@pytest.mark.parametrize(
    'tags', [
        three_curves(gamma(2.2)),
        three_curves(SRGB_FORMULA) | {
            b'gXYZ': xyz(0.380, 0.710, 0.097)
        },
    ]
)
def test_what_is_only_near_srgb_is_kept(tags: dict[bytes, bytes]) -> None:
    profile = screen_profile(WHITE | SRGB_PRIMARIES | tags)
    assert 'icc_profile' in prepared(saved(scene(), 'PNG', icc_profile=profile)).info


NOT_KEPT = {
    'table': TABLE_P3_PROFILE,
    'table of two': screen_profile(TAGS | three_curves(curve_table([0, 1]))),
    'one table': screen_profile(TAGS | {b'gTRC': curve_table([0, 0.4, 1])}),
    'colours by tables, too': screen_profile(TAGS | {b'A2B0': b'mft1\0\0\0\0' + bytes(40)}),
    'and in numbers with points': screen_profile(TAGS | {b'D2B1': b'mpet\0\0\0\0' + bytes(40)}),
    'printer': screen_profile(TAGS, b'prtr'),
    'link': screen_profile(TAGS, b'link'),
    'grey': pictures.LINEAR_GREY_PROFILE,
    'ink': pictures.CMYK_PROFILE,
    'no blue': screen_profile({
        name: tag
        for name, tag in TAGS.items() if name != b'bXYZ'
    }),
    'no curve': screen_profile({
        name: tag
        for name, tag in TAGS.items() if name != b'bTRC'
    }),
    'short colour': screen_profile(TAGS | {b'bXYZ': P3_PRIMARIES[b'bXYZ'][:19]}),
    'short curve': screen_profile(TAGS | {b'bTRC': gamma(2.2)[:13]}),
    'cut curve': screen_profile(TAGS | {b'bTRC': b'par'}),
    'short formula': screen_profile(TAGS | {b'bTRC': SRGB_FORMULA[:-1]}),
    'unknown formula': screen_profile(TAGS | {b'bTRC': formula(5, *[0.5] * 9)}),
    'vast formula': screen_profile(TAGS | {b'bTRC': formula(0xffff, *[0.5] * 9)}),
    'vast table': screen_profile(TAGS | {b'bTRC': b'curv\0\0\0\0\xff\xff\xff\xff' + bytes(8)}),
    'unknown curve': screen_profile(TAGS | {b'bTRC': b'fnct' + gamma(2.2)[4:]}),
    'colour of another kind': screen_profile(TAGS | {b'bXYZ': b'sf32' + P3_PRIMARIES[b'bXYZ'][4:]}),
    'short adaptation': screen_profile(TAGS | {b'chad': CHAD[:-1]}),
    'of Lab': screen_profile(TAGS).replace(b'XYZ ', b'Lab ', 1),
    'cut in its header': P3_PROFILE[:100],
    'cut in its table': P3_PROFILE[:150],
    'nothing': b'',
}


@pytest.mark.parametrize('name', NOT_KEPT)
def test_what_is_more_or_less_than_numbers_is_not_kept(name: str) -> None:
    assert rebuilt_profile(NOT_KEPT[name]) is None
    made = prepared(saved(scene(), 'PNG', icc_profile=NOT_KEPT[name]))
    assert 'icc_profile' not in made.info


def test_a_tag_twice_is_not_kept() -> None:
    profile = screen_profile(TAGS | {b'rXYw': xyz(9, 9, 9)}).replace(b'rXYw', b'rXYZ')

    assert rebuilt_profile(profile) is None


@pytest.mark.parametrize('number', [0, 1, 127, 131, 132, 0x7fffffff, 0x80000000, 0xffffffff])
def test_a_table_of_tags_that_lies_does_no_harm(number: int) -> None:
    """As well by overlapping tags as by ones that begin or end outside."""
    whole = KEPT['P3, as Apple has it']
    for start in (0, *range(128, 132 + 12 * 8, 4)):
        lying = whole[:start] + struct.pack('>I', number) + whole[start + 4:]
        rebuilt = rebuilt_profile(lying)
        assert rebuilt is None or len(rebuilt) < 640
        image, profile = in_stored_colours(scene(8, 8), lying)
        assert image.size == (8, 8) and profile in (None, rebuilt)


def test_a_profile_with_faults_anywhere_does_no_harm() -> None:
    chance = random.Random(7)
    for profile in (KEPT['P3, as Apple has it'], KEPT['formula 4'], TABLE_P3_PROFILE[:1500]):
        for _ in range(400):
            faulty = bytearray(profile[:chance.choice([len(profile), chance.randrange(len(profile))])])
            for _ in range(min(chance.randrange(1, 6), len(faulty))):
                faulty[chance.randrange(len(faulty))] = chance.choice([0, 1, 127, 128, 255])
            rebuilt = rebuilt_profile(bytes(faulty))
            assert rebuilt is None or len(rebuilt) < 640
            image, kept = in_stored_colours(scene(8, 8), with_size(bytes(faulty)))
            assert image.size == (8, 8)
            if kept:
                # It can be opened by others.
                assert difference(image, scene(8, 8)) == 0
                ImageCms.ImageCmsProfile(BytesIO(kept))
