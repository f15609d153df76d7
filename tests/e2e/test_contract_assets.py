"""The contract's table of asset calls."""
from http import HTTPStatus
from io import BytesIO

import pytest
from PIL import Image

from tests.support.answers import TIME, error_in, error_of, ok
from tests.support.members import Member
from tests.support.served_api import ServedApi
from tests.support.uploads import IMAGES, list_images, new_picture, path_of, send, upload

INVALID = 'One or more image files are of invalid type'
TOO_LARGE = 'One or more image files are too large'
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b'<!doctype html><script>alert(1)</script>'
PDF = b'%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n'


def test_an_upload_answers_200_with_the_url(api: ServedApi, member: Member) -> None:
    document = ok(send(api, member, new_picture((400, 300))))

    assert list(document) == ['image_objects_urls', 'images']
    url, = document['image_objects_urls']
    image, = document['images']
    assert list(image) == [
        'id', 'created_at', 'url', 'width', 'height', 'bytes', 'type', 'variants', 'placeholder'
    ]
    assert url == image['url']
    assert TIME.fullmatch(image['created_at'])
    assert (image['width'], image['height'], image['type']) == (400, 300, 'image/png')
    response = api.get(path_of(url))
    assert (response.status_code, len(response.content)) == (200, image['bytes'])
    assert Image.open(BytesIO(response.content)).size == (400, 300)


def test_files_of_any_fields_come_back_in_the_order_sent(api: ServedApi, member: Member) -> None:
    sizes = [(40, 30), (41, 31), (42, 32), (43, 33)]
    files = [(field, ('same.png', new_picture(size)))
             for field, size in zip(['a', 'b', 'a', 'photo.jpg'], sizes, strict=True)]

    document = ok(api.request('POST', IMAGES, files=files, headers=member.bearer))

    assert [(image['width'], image['height']) for image in document['images']] == sizes
    assert len(set(document['image_objects_urls'])) == 4


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'GIF', 'WEBP', 'AVIF'])
def test_each_kind_is_taken_for_what_it_is_whatever_it_is_called(
    api: ServedApi, author: Member, kind: str
) -> None:
    file = ('evil.svg', new_picture(kind=kind), 'text/html')

    image = ok(api.request('POST', IMAGES, files={'x': file}, headers=author.bearer))['images'][0]

    assert image['type'] == f'image/{kind.lower()}'
    assert api.get(path_of(image['url'])).headers['Content-Type'] == image['type']


@pytest.mark.parametrize(
    'content',
    [b'', SVG, HTML, PDF, b'\xff\xd8\xff\xe0', b'\x89PNG\r\n\x1a\n', b'GIF89a',
     new_picture()[:-60]],
    ids=['empty', 'svg', 'html', 'pdf', 'jpeg-magic', 'png-magic', 'gif-magic', 'truncated'],
)
def test_what_is_no_picture_is_of_invalid_type(api: ServedApi, author: Member, content: bytes) -> None:
    file = ('photo.png', content, 'image/png')

    response = api.request('POST', IMAGES, files={'photo': file}, headers=author.bearer)

    assert error_of(response, HTTPStatus.BAD_REQUEST) == INVALID


def test_no_file_at_all_is_of_invalid_type(api: ServedApi, author: Member) -> None:
    nothing = api.request('POST', IMAGES, headers=author.bearer)
    other = api.request('POST', IMAGES, json={'image': 'x'}, headers=author.bearer)
    no_file = api.request('POST', IMAGES, files={'x': (None, 'text')}, headers=author.bearer)

    for response in nothing, other, no_file:
        assert error_of(response, HTTPStatus.BAD_REQUEST) == INVALID


def test_a_file_of_too_many_bytes_is_too_large(api: ServedApi, author: Member) -> None:
    content = new_picture() + b'\0' * (10 * 1024 * 1024)

    assert error_of(send(api, author, content), HTTPStatus.BAD_REQUEST) == TOO_LARGE


def test_a_picture_of_too_many_pixels_is_too_large(api: ServedApi, author: Member) -> None:
    file = BytesIO()
    Image.new('1', (20_000, 20_000)).save(file, 'PNG')
    assert len(file.getvalue()) < 100_000

    assert error_of(send(api, author, file.getvalue()), HTTPStatus.BAD_REQUEST) == TOO_LARGE


@pytest.mark.parametrize(('bad', 'message'), [(HTML, INVALID), (b'\0' * (10 * 1024 * 1024 + 1), TOO_LARGE)])
def test_one_bad_file_among_good_ones_stores_nothing(
    api: ServedApi, member: Member, bad: bytes, message: str
) -> None:
    kept, = upload(api, member, new_picture())

    response = send(api, member, new_picture(), new_picture(), bad, new_picture())

    error = error_in(response, HTTPStatus.BAD_REQUEST)
    assert error['message'] == message
    detail, = error['details']
    assert (detail['in'], detail['pointer']) == ('body', '/2')
    assert detail['reason'].startswith('picture-2.jpg: ')
    assert list_images(api, member) == [kept]


def test_an_upload_wants_a_token(api: ServedApi, author: Member) -> None:
    files = {'x': new_picture()}

    absent = api.request('POST', IMAGES, files=files)
    empty = api.request('POST', IMAGES, files=files, headers={'Authorization': 'Bearer'})
    other = api.request('POST', IMAGES, files=files, headers={'Authorization': f'Bearer {author.token[:-1]}'})

    assert error_of(absent, HTTPStatus.FORBIDDEN) == 'No authorization header provided'
    assert error_of(empty, HTTPStatus.FORBIDDEN) == 'No authorization token provided'
    assert error_of(other, HTTPStatus.FORBIDDEN)
