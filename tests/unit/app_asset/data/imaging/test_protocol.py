import json
import struct
from typing import Any

import pytest

from talelio_backend.app_asset.business.errors import ImageTooLarge, InvalidImageType
from talelio_backend.app_asset.business.image import ImageKind, ProcessedImage, ProcessedVariant
from talelio_backend.app_asset.data.imaging.protocol import (
    ImageLimits,
    MalformedReply,
    pack_image,
    pack_refusal,
    pack_request,
    unpack_reply,
    unpack_request,
)

LIMITS = ImageLimits(bytes=1, pixels=2, frames=3, summed_pixels=4)
PREPARED = ProcessedImage(
    kind=ImageKind.PNG,
    width=700,
    height=20,
    content=b'picture',
    variants=(
        ProcessedVariant(width=320, content=b'narrow'), ProcessedVariant(width=640, content=b'less so')
    ),
    placeholder='data:image/webp;base64,AAAA'
)
HEADER = {
    'kind': 'image/png',
    'width': 700,
    'height': 20,
    'placeholder': 'data:image/webp;base64,AAAA',
    'variants': [320, 640],
    'sizes': [7, 6, 7]
}
BODY = b'picturenarrowless so'


def message(header: Any, body: bytes = BODY) -> bytes:
    encoded = json.dumps(header).encode()
    return struct.pack('>I', len(encoded)) + encoded + body


def test_a_request_survives_a_round_trip() -> None:
    assert unpack_request(pack_request('prepare', b'\0picture', LIMITS)) == ('prepare', b'\0picture', LIMITS)


def test_an_image_survives_a_round_trip() -> None:
    assert unpack_reply(pack_image(PREPARED), pixels=14_000) == PREPARED
    assert unpack_reply(message(HEADER), pixels=14_000) == PREPARED


@pytest.mark.parametrize('error', [InvalidImageType, ImageTooLarge])
def test_a_refusal_survives_a_round_trip(error: type[InvalidImageType | ImageTooLarge]) -> None:
    with pytest.raises(error) as caught:
        unpack_reply(pack_refusal(error('3 frames, at most 2 are taken')), pixels=1)

    assert caught.value.reason == '3 frames, at most 2 are taken'


@pytest.mark.parametrize('refusal', [
    {'refusal': 'type'}, {'refusal': 'type', 'reason': 5}, {'refusal': 'size', 'reason': 'a' * 201},
    {'refusal': 'size', 'reason': 'a\nb'}, {'refusal': 'other', 'reason': 'a'},
])  # yapf: disable
def test_an_invalid_refusal_is_malformed(refusal: dict[str, Any]) -> None:
    with pytest.raises(MalformedReply):
        unpack_reply(message(refusal, b''), pixels=1)


WRONG: dict[str,
            Any] = {
                'kind': ['image/svg+xml', 'text/html', '', None, 1, []],
                'width': [0, -700, 699.5, '700', None, True, 10**9, 639],
                'height': [0, -1, 21, [], True],
                'placeholder': [
                    '', None, 5, 'javascript:alert(1)', 'data:text/html,a', 'data:image/webp,\n',
                    'data:image/ü', 'data:image/'.ljust(601, 'a')
                ],
                'variants': [[], [320], [640, 320], [320, 320], [320, 640, 641], [0, 640], [320, 701],
                             ['320', 640], None, 5],
                'sizes': [[], [20], [7, 6], [7, 6, 6], [7, 6, 8], [8, 6, 7], [7, 13, 0], [7, 14, -1],
                          [7.0, 6.0, 7.0], None],
                'refusal': ['', 'InvalidImageType', None, []],
            }


@pytest.mark.parametrize(('name', 'value'),
                         [(name, value) for name, values in WRONG.items() for value in values])
def test_an_invalid_field_is_malformed(name: str, value: object) -> None:
    with pytest.raises(MalformedReply):
        unpack_reply(message(HEADER | {name: value}), pixels=14_000)


@pytest.mark.parametrize('name', HEADER)
def test_a_missing_field_is_malformed(name: str) -> None:
    with pytest.raises(MalformedReply):
        unpack_reply(message({key: value for key, value in HEADER.items() if key != name}), pixels=14_000)


@pytest.mark.parametrize('response', [
    b'', b'\0', b'\0\0\0\5{}', b'\xff\xff\xff\xff{}', b'\0\0\0\2[]', b'\0\0\0\1\xff', b'\0\0\0\4null',
    struct.pack('>I', 200_000) + b'[' * 200_000, struct.pack('>I', 10_000) + b'9' * 10_000,
    message(HEADER, BODY + b'a'), message(HEADER, BODY[:-1])
])  # yapf: disable
def test_an_invalid_message_is_malformed(response: bytes) -> None:
    with pytest.raises(MalformedReply):
        unpack_reply(response, pixels=14_000)
