from hashlib import sha256

import pytest

from talelio_backend.app_asset.business.image import (
    ImageKind,
    ProcessedImage,
    fingerprint,
    image_key,
    parse_key,
    variant_key,
)
from tests.support.samples import new_image

NAME = '0123456789abcdef' * 4


def test_a_key_consists_of_the_owner_and_the_name() -> None:
    assert image_key(7, NAME, ImageKind.JPEG) == f'7/images/{NAME}.jpg'
    assert image_key(7, NAME, ImageKind.AVIF) == f'7/images/{NAME}.avif'
    assert variant_key(7, NAME, 320) == f'7/images/{NAME}-320.webp'


def test_the_image_is_the_first_of_its_keys() -> None:
    image = new_image(7, NAME)

    assert image.keys == [
        f'7/images/{NAME}.jpg',
        f'7/images/{NAME}-320.webp',
        f'7/images/{NAME}-640.webp',
    ]


@pytest.mark.parametrize('kind', ImageKind)
def test_a_key_is_parsed(kind: ImageKind) -> None:
    assert parse_key(image_key(7, NAME, kind)) == (7, NAME)
    assert parse_key(variant_key(2147483647, NAME, 1920)) == (2147483647, NAME)


@pytest.mark.parametrize(
    'key',
    [
        '',
        NAME,
        f'7/other/{NAME}.jpg',
        f'0/images/{NAME}.jpg',
        f'2147483648/images/{NAME}.jpg',
        f'-7/images/{NAME}.jpg',
        f'7/images/{NAME[1:]}.jpg',
        f'7/images/{NAME.upper()}.jpg',
        f'7/images/{NAME}.jpg\n',
        f'7/images/{NAME}.jpg/..',
        f'../7/images/{NAME}.jpg',
        f'/7/images/{NAME}.jpg',
        f'7/images/../{NAME}.jpg',
        f'7/images/{NAME}',
        f'7/images/{NAME}.html',
        f'7/images/{NAME}-12345.webp',
        f'7/images/{NAME}.jpg.part',
    ],
)
def test_a_foreign_key_is_not_parsed(key: str) -> None:
    assert parse_key(key) is None


def test_names_of_the_same_content_share_only_a_fingerprint() -> None:
    prepared = ProcessedImage(
        kind=ImageKind.PNG, width=1, height=1, content=b'pixels', variants=(), placeholder=''
    )
    names = {prepared.new_name() for _ in range(100)}

    assert len({name[32:] for name in names}) == 100
    assert {fingerprint(name) for name in names} == {prepared.fingerprint}
    assert all(parse_key(image_key(7, name, ImageKind.PNG)) == (7, name) for name in names)
    # Earlier releases used such names.
    assert fingerprint(sha256(b'pixels').hexdigest()) == prepared.fingerprint
