import pytest

from talelio_backend.app_asset.business.image import ImageKind, image_key, parse_key, variant_key
from tests.support.samples import new_image

DIGEST = '0123456789abcdef' * 4


def test_a_key_says_whose_and_what_it_is() -> None:
    assert image_key(7, DIGEST, ImageKind.JPEG) == f'7/images/{DIGEST}.jpg'
    assert image_key(7, DIGEST, ImageKind.AVIF) == f'7/images/{DIGEST}.avif'
    assert variant_key(7, DIGEST, 320) == f'7/images/{DIGEST}-320.webp'


def test_the_image_itself_is_the_first_of_its_keys() -> None:
    image = new_image(7, DIGEST)

    assert image.keys == [
        f'7/images/{DIGEST}.jpg',
        f'7/images/{DIGEST}-320.webp',
        f'7/images/{DIGEST}-640.webp',
    ]


@pytest.mark.parametrize('kind', ImageKind)
def test_a_key_of_ours_can_be_read(kind: ImageKind) -> None:
    assert parse_key(image_key(7, DIGEST, kind)) == (7, DIGEST)
    assert parse_key(variant_key(2147483647, DIGEST, 1920)) == (2147483647, DIGEST)


@pytest.mark.parametrize(
    'key',
    [
        '',
        DIGEST,
        f'7/other/{DIGEST}.jpg',
        f'0/images/{DIGEST}.jpg',
        f'2147483648/images/{DIGEST}.jpg',
        f'-7/images/{DIGEST}.jpg',
        f'7/images/{DIGEST[1:]}.jpg',
        f'7/images/{DIGEST.upper()}.jpg',
        f'7/images/{DIGEST}.jpg\n',
        f'7/images/{DIGEST}.jpg/..',
        f'../7/images/{DIGEST}.jpg',
        f'/7/images/{DIGEST}.jpg',
        f'7/images/../{DIGEST}.jpg',
        f'7/images/{DIGEST}',
        f'7/images/{DIGEST}.html',
        f'7/images/{DIGEST}-12345.webp',
        f'7/images/{DIGEST}.jpg.part',
    ],
)
def test_what_is_no_key_of_ours_is_told(key: str) -> None:
    assert parse_key(key) is None
