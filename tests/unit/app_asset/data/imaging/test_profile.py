import random
import struct
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile, is_zipfile

import pytest
from PIL import Image, ImageChops, ImageCms

from talelio_backend.app_asset.data.imaging.colour import (
    ADOBE_RGB,
    DISPLAY_P3,
    normalize_colours,
    profile_by_code,
)
from tests.support import pictures
from tests.support.codec import prepare, prepare_avatar, prepared
from tests.support.pictures import (
    ADOBE_PRIMARIES,
    ADOBE_PROFILE,
    P3_PRIMARIES,
    P3_PROFILE,
    SRGB_FORMULA,
    SRGB_PRIMARIES,
    TABLE_P3_PROFILE,
    TABLE_SRGB_PROFILE,
    WHITE,
    curve_table,
    difference,
    gamma,
    opened,
    saved,
    scene,
    screen_profile,
    srgb_level,
    three_curves,
    xyz,
)

CASES = Path(__file__).parent / 'cases'
CHAD = b'sf32\0\0\0\0' + struct.pack('>9i', *(
    round(number * 65536)
    for number in (1.0479, 0.0229, -0.0502, 0.0296, 0.9905, -0.0171, -0.0092, 0.0151, 0.7517)
))  # yapf: disable
CUBE = bytes(level for r in range(0, 256, 15) for g in range(0, 256, 15) for b in range(0, 256, 15)
             for level in (r, g, b))  # yapf: disable
TAGS = WHITE | P3_PRIMARIES | three_curves(SRGB_FORMULA)
SHORT_TABLE = three_curves(curve_table([srgb_level(n / 255) for n in range(256)]))


def archive() -> bytes:
    file = BytesIO()
    with ZipFile(file, 'w') as entries:
        entries.writestr('evil.html', b'<script>SECRET</script>')
    return file.getvalue()


def with_size(profile: bytes) -> bytes:
    return struct.pack('>I', len(profile)) + profile[4:]


def seen(profile: bytes) -> bytes:
    """Convert a cube of levels to colours, including those outside sRGB."""
    cube = Image.frombytes('RGB', (18**3, 1), CUBE)
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile('LAB'), 'RGB', 'LAB'
    )
    image = ImageCms.applyTransform(cube, transform)
    assert image is not None
    return image.tobytes()


@pytest.mark.parametrize(('stored', 'published'), [(DISPLAY_P3, P3_PROFILE), (ADOBE_RGB, ADOBE_PROFILE)])
def test_a_stored_profile_has_the_published_colours(stored: bytes, published: bytes) -> None:
    profile = ImageCms.ImageCmsProfile(BytesIO(stored)).profile

    assert len(stored) < 600
    assert (profile.version, profile.device_class) == (4.3, 'mntr')
    assert max(abs(one - other) for one, other in zip(seen(stored), seen(published))) <= 1


KNOWN = {
    'P3': (P3_PROFILE, DISPLAY_P3),
    'P3, as Apple has it': (screen_profile(TAGS | {b'chad': CHAD}, version=0x04000000), DISPLAY_P3),
    'P3 of a scanner': (screen_profile(TAGS, b'scnr', version=0x04000000), DISPLAY_P3),
    'P3 by tables': (screen_profile(WHITE | P3_PRIMARIES | SHORT_TABLE), DISPLAY_P3),
    'P3 with something appended': (P3_PROFILE + b'SECRET', DISPLAY_P3),
    'Adobe RGB': (ADOBE_PROFILE, ADOBE_RGB),
    'the stored P3': (DISPLAY_P3, DISPLAY_P3),
    'the stored Adobe RGB': (ADOBE_RGB, ADOBE_RGB),
    'sRGB': (screen_profile(WHITE | SRGB_PRIMARIES | three_curves(SRGB_FORMULA), version=0x04000000), None),
    'sRGB by tables': (TABLE_SRGB_PROFILE, None),
    'sRGB by short tables': (screen_profile(WHITE | SRGB_PRIMARIES | SHORT_TABLE), None),
}


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'P'])
@pytest.mark.parametrize('name', KNOWN)
def test_pixels_in_a_well_known_colour_space_are_unchanged(name: str, mode: str) -> None:
    profile, stored = KNOWN[name]
    image = scene().quantize(16) if mode == 'P' else scene(mode=mode)
    made = prepared(saved(image, 'PNG', icc_profile=profile))

    assert made.info.get('icc_profile') == stored
    assert made.mode == mode
    assert ImageChops.difference(made.convert('RGBA'), image.convert('RGBA')).getbbox() is None


OTHERS = {
    'P3 with another curve': screen_profile(WHITE | P3_PRIMARIES | three_curves(gamma(2.2))),
    'P3 with another curve, by tables': TABLE_P3_PROFILE,
    'linear': screen_profile(WHITE | ADOBE_PRIMARIES | three_curves(curve_table([]))),
    'three curves': screen_profile(TAGS | {b'rTRC': gamma(1.5), b'bTRC': gamma(2.0)}, version=0x04000000),
    'sRGB with another curve': screen_profile(WHITE | SRGB_PRIMARIES | three_curves(gamma(2.2))),
    'sRGB with another green': screen_profile(
        WHITE | SRGB_PRIMARIES | {b'gXYZ': xyz(0.380, 0.710, 0.097)} | three_curves(SRGB_FORMULA),
        version=0x04000000,
    ),
    'ProPhoto': screen_profile(WHITE | three_curves(gamma(1.8)) | {
        b'rXYZ': xyz(0.79767, 0.28804, 0),
        b'gXYZ': xyz(0.13519, 0.71188, 0),
        b'bXYZ': xyz(0.03134, 0.00009, 0.82491)
    }),
}  # yapf: disable


@pytest.mark.parametrize('name', OTHERS)
def test_pixels_in_other_colour_spaces_become_srgb(name: str) -> None:
    image = scene()
    made = prepared(saved(image, 'PNG', icc_profile=OTHERS[name]))
    expected = ImageCms.profileToProfile(
        image, ImageCms.ImageCmsProfile(BytesIO(OTHERS[name])), ImageCms.createProfile('sRGB')
    )

    assert expected is not None
    assert 'icc_profile' not in made.info
    assert difference(made, expected) == 0


HIDING_PLACES = {
    'at its end': with_size(P3_PROFILE + archive()),
    'in a private tag': screen_profile(TAGS | {b'prIv': b'data\0\0\0\0' + archive()}, version=0x04000000),
    'as its copyright': screen_profile(TAGS | {b'cprt': b'text\0\0\0\0' + archive()}, version=0x04000000),
    'after a curve': screen_profile(
        TAGS | three_curves(SRGB_FORMULA + archive()), version=0x04000000
    ),
    'in sRGB': with_size(TABLE_SRGB_PROFILE + archive()),
    'in a table': with_size(TABLE_P3_PROFILE + archive()),
}  # yapf: disable


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'AVIF'])
@pytest.mark.parametrize('place', HIDING_PLACES)
def test_an_archive_in_a_profile_is_removed(place: str, kind: str) -> None:
    profile = HIDING_PLACES[place]
    assert is_zipfile(BytesIO(profile))
    content = saved(scene(400, 300), kind, icc_profile=profile)
    made, avatar = prepare(content), prepare_avatar(content)

    for each in (made.content, avatar.content, *(variant.content for variant in made.variants)):
        assert not is_zipfile(BytesIO(each))
        assert opened(each).info.get('icc_profile') in (DISPLAY_P3, None)
        for trace in (b'PK\3\4', b'PK\1\2', b'PK\5\6', b'evil.html', b'SECRET'):
            assert trace not in each


def test_an_archive_in_the_profile_of_an_animation_is_removed() -> None:
    made = prepare(pictures.animated('WEBP', icc_profile=HIDING_PLACES['in a private tag']))

    assert opened(made.content).info['icc_profile'] == DISPLAY_P3
    assert b'SECRET' not in made.content and not is_zipfile(BytesIO(made.content))


@pytest.mark.parametrize('number', [0, 1, 127, 131, 132, 0x7fffffff, 0x80000000, 0xffffffff])
def test_an_invalid_tag_table_is_harmless(number: int) -> None:
    """Tags may overlap or exceed the profile."""
    for start in (0, *range(128, 132 + 12 * 8, 4)):
        lying = P3_PROFILE[:start] + struct.pack('>I', number) + P3_PROFILE[start + 4:]
        image, profile = normalize_colours(scene(8, 8), lying)
        assert image.size == (8, 8) and profile in (None, DISPLAY_P3)


def test_a_profile_with_random_faults_is_harmless() -> None:
    chance = random.Random(7)
    for profile in (P3_PROFILE, ADOBE_PROFILE, TABLE_P3_PROFILE[:1500]):
        for _ in range(400):
            faulty = bytearray(profile[:chance.choice([len(profile), chance.randrange(len(profile))])])
            for _ in range(min(chance.randrange(1, 6), len(faulty))):
                faulty[chance.randrange(len(faulty))] = chance.choice([0, 1, 127, 128, 255])
            image, kept = normalize_colours(scene(8, 8), with_size(bytes(faulty)))
            assert image.size == (8, 8) and kept in (None, DISPLAY_P3, ADOBE_RGB)


def codes(primaries: int, transfer: int) -> bytes:
    return struct.pack('>4s4sHHHB', b'colr', b'nclx', primaries, transfer, 6, 0x80)


def in_p3(made: Image.Image) -> bool:
    return made.info.get('icc_profile') == DISPLAY_P3


def test_colour_codes_of_an_avif_are_used() -> None:
    made = prepared((CASES / 'p3-nclx-200-80-60.avif').read_bytes())

    assert in_p3(made)
    assert difference(made, Image.new('RGB', made.size, (200, 80, 60))) <= 1


def test_a_profile_in_an_avif_overrides_its_colour_codes() -> None:
    content = saved(scene(), 'AVIF', icc_profile=ADOBE_PROFILE) + codes(12, 13)

    assert prepared(content).info['icc_profile'] == ADOBE_RGB


def test_colour_codes_of_a_heic_are_used() -> None:
    assert in_p3(prepared(pictures.HEIC + codes(12, 13)))
    assert 'icc_profile' not in prepared(pictures.HEIC + codes(1, 13)).info


def test_colour_codes_of_a_png_override_its_profile() -> None:
    rows = b'\0' + bytes([200, 80, 60])
    code = pictures.png_chunk(b'cICP', bytes([12, 13, 0, 1]))
    srgb = pictures.png_chunk(b'cICP', bytes([1, 13, 0, 1]))
    profile = saved(Image.new('RGB', (1, 1), (200, 80, 60)), 'PNG', icc_profile=P3_PROFILE)

    made = prepared(pictures.png(1, 1, 8, 2, rows, code))
    assert in_p3(made) and made.tobytes() == bytes([200, 80, 60])
    assert 'icc_profile' not in prepared(profile[:33] + srgb + profile[33:]).info


def test_wide_colours_by_code_become_srgb() -> None:
    profile = profile_by_code(9, 1)
    image, stored = normalize_colours(Image.new('RGB', (1, 1), (128, 160, 128)), profile)

    assert stored is None
    assert image.tobytes() == bytes([103, 164, 124])


@pytest.mark.parametrize(('primaries', 'transfer'), [(1, 13), (2, 2), (12, 16), (9, 18), (12, 8), (0, 0)])
def test_an_unknown_colour_code_means_srgb(primaries: int, transfer: int) -> None:
    assert profile_by_code(primaries, transfer) is None
