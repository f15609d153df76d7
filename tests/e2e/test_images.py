"""Pictures after their upload: listed, served, used as an avatar, deleted."""
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from io import BytesIO
from threading import Event
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.e2e.conftest import Serve
from tests.support.answers import error_of, ok
from tests.support.members import Member, join
from tests.support.served_api import ServedApi
from tests.support.uploads import AVATAR, IMAGES, list_images, new_picture, path_of, send, upload

YEAR = 31536000


def test_a_wide_picture_has_variants_up_to_its_width(api: ServedApi, member: Member) -> None:
    image, = upload(api, member, new_picture((1000, 500)))

    assert [variant['width'] for variant in image['variants']] == [320, 640, 960]
    for variant in image['variants']:
        response = api.get(path_of(variant['url']))
        assert response.headers['Content-Type'] == variant['type'] == 'image/webp'
        assert Image.open(BytesIO(response.content)).size == (variant['width'], variant['width'] // 2)


def test_a_placeholder_is_small_and_can_be_put_into_a_page(api: ServedApi, author: Member) -> None:
    image, = upload(api, author, new_picture((1000, 500)))

    assert image['placeholder'].startswith('data:image/')
    assert len(image['placeholder']) <= 600


def test_the_same_picture_again_is_the_same_image(api: ServedApi, member: Member) -> None:
    picture = new_picture()

    first, = upload(api, member, picture)
    again, twice = upload(api, member, picture, picture)

    assert first == again == twice
    assert list_images(api, member) == [first]


def test_a_picture_is_served_to_be_kept_for_ever(api: ServedApi, author: Member) -> None:
    image, = upload(api, author, new_picture())

    response = api.get(path_of(image['url']))

    assert response.headers['Cache-Control'] == f'public, max-age={YEAR}, immutable'
    assert response.headers['Content-Disposition'] == 'inline'
    assert response.headers['X-Content-Type-Options'] == 'nosniff'
    assert response.headers['Content-Type'] == 'image/png'
    etag = response.headers['ETag']
    assert etag.startswith('"')
    same = api.get(path_of(image['url']), headers={'If-None-Match': etag})
    assert (same.status_code, same.content) == (304, b'')
    head = api.request('HEAD', path_of(image['url']))
    assert (head.headers['Content-Length'], head.content) == (str(image['bytes']), b'')


def test_a_part_of_a_picture_can_be_asked_for(api: ServedApi, author: Member) -> None:
    image, = upload(api, author, new_picture())
    path = path_of(image['url'])
    whole = api.get(path).content

    part = api.get(path, headers={'Range': 'bytes=10-19'})
    beyond = api.get(path, headers={'Range': f'bytes={len(whole)}-'})

    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers['Content-Range'] == f'bytes 10-19/{len(whole)}'
    error_of(beyond, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)


@pytest.mark.parametrize('wanted', ['lines=1-2', 'bytes=0-9,20-29', 'bytes', 'nonsense'])
def test_a_range_that_is_not_one_of_bytes_is_ignored(api: ServedApi, author: Member, wanted: str) -> None:
    image, = upload(api, author, new_picture())

    response = api.get(path_of(image['url']), headers={'Range': wanted})

    assert (response.status_code, len(response.content)) == (200, image['bytes'])


@pytest.mark.parametrize('origin', [None, 'http://localhost:3000', 'https://elsewhere.example'])
def test_any_page_may_show_and_read_a_picture(api: ServedApi, author: Member, origin: str | None) -> None:
    image, = upload(api, author, new_picture())

    response = api.get(path_of(image['url']), headers={'Origin': origin} if origin else {})

    # The same for all, since caches keep it for all.
    assert response.headers['Access-Control-Allow-Origin'] == '*'
    assert response.headers['Cross-Origin-Resource-Policy'] == 'cross-origin'
    assert 'Access-Control-Allow-Credentials' not in response.headers


def test_a_picture_that_is_deleted_while_it_is_asked_for_is_not_found(api: ServedApi, member: Member) -> None:
    picture = new_picture((40, 30))
    url = upload(api, member, picture)[0]['url']
    ended = Event()

    def ask() -> set[int]:
        statuses = set()
        while not ended.is_set():
            statuses.add(api.get(path_of(url)).status_code)
        return statuses

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        for _ in range(15):
            image, = upload(api, member, picture)
            api.request('DELETE', f'{IMAGES}/{image["id"]}', headers=member.bearer)
        ended.set()
        statuses = set().union(*(done.result() for done in asking))

    assert statuses <= {200, 404}


@pytest.mark.parametrize(
    'path',
    [
        '',
        '/',
        '/1/images/nothing.png',
        '/1/images/' + 'a' * 64 + '.png',
        '/..%2f..%2fsecret_key',
        '/1/images/..%2f..%2f..%2fsecret_key',
        '/%2fetc%2fpasswd',
        '/1/images/' + 'a' * 64 + '.png%00.png',
        '/.incoming/x',
    ],
)
def test_nothing_but_pictures_is_served(api: ServedApi, path: str) -> None:
    error_of(api.get(f'/v1/assets/files{path}'), HTTPStatus.NOT_FOUND)


def test_images_are_listed_newest_first_and_in_pages(api: ServedApi, member: Member) -> None:
    images = [upload(api, member, new_picture())[0] for _ in range(3)]

    first = api.get(f'{IMAGES}?limit=2', headers=member.bearer)
    link = first.links['next']['url']
    second = api.get(link, headers=member.bearer)

    assert ok(first) == [images[2], images[1]]
    assert urlsplit(link).path == IMAGES
    assert ok(second) == [images[0]]
    assert 'next' not in second.links
    assert ok(api.get(f'{IMAGES}/{images[1]["id"]}', headers=member.bearer)) == images[1]


def test_a_parameter_that_the_list_does_not_know_is_refused(api: ServedApi, member: Member) -> None:
    response = api.get(f'{IMAGES}?page=2', headers=member.bearer)

    assert error_of(response, HTTPStatus.BAD_REQUEST).startswith("Unknown parameter 'page'; ")


def test_somebody_without_images_has_an_empty_list(api: ServedApi, member: Member) -> None:
    assert list_images(api, member) == []


def test_a_deleted_picture_is_gone(api: ServedApi, member: Member) -> None:
    gone, kept = upload(api, member, new_picture((700, 700)), new_picture())
    path = f'{IMAGES}/{gone["id"]}'

    response = api.request('DELETE', path, headers=member.bearer)

    assert (response.status_code, response.content) == (204, b'')
    assert list_images(api, member) == [kept]
    for url in [gone['url'], *(variant['url'] for variant in gone['variants'])]:
        error_of(api.get(path_of(url)), HTTPStatus.NOT_FOUND)
    assert api.get(path_of(kept['url'])).status_code == 200
    for method in 'DELETE', 'GET':
        message = error_of(api.request(method, path, headers=member.bearer), HTTPStatus.NOT_FOUND)
        assert message == f'You have no image {gone["id"]}'


def test_a_picture_that_was_deleted_can_be_sent_again(api: ServedApi, member: Member) -> None:
    picture = new_picture()
    first, = upload(api, member, picture)
    api.request('DELETE', f'{IMAGES}/{first["id"]}', headers=member.bearer)

    again, = upload(api, member, picture)

    # What the store was asked to delete, it may delete late.
    assert again['url'] != first['url']
    assert api.get(path_of(again['url'])).status_code == 200
    error_of(api.get(path_of(first['url'])), HTTPStatus.NOT_FOUND)


def test_nobody_gets_at_somebody_elses_image(api: ServedApi, author: Member, member: Member) -> None:
    image, = upload(api, author, new_picture())
    path = f'{IMAGES}/{image["id"]}'

    error_of(api.get(path, headers=member.bearer), HTTPStatus.NOT_FOUND)
    error_of(api.request('DELETE', path, headers=member.bearer), HTTPStatus.NOT_FOUND)

    assert ok(api.get(path, headers=author.bearer)) == image
    assert api.get(path_of(image['url'])).status_code == 200


@pytest.mark.parametrize('image_id', ['0', '-1', '1x', '01', '9' * 10, '9' * 5000])
def test_what_is_no_id_is_not_found(api: ServedApi, author: Member, image_id: str) -> None:
    error_of(api.get(f'{IMAGES}/{image_id}', headers=author.bearer), HTTPStatus.NOT_FOUND)


@pytest.mark.parametrize(('method', 'path'), [('GET', IMAGES), ('GET', f'{IMAGES}/1'),
                                              ('DELETE', f'{IMAGES}/1'), ('PUT', AVATAR), ('DELETE', AVATAR)])
def test_ones_own_pictures_want_a_token(api: ServedApi, method: str, path: str) -> None:
    assert error_of(api.request(method, path), HTTPStatus.FORBIDDEN) == 'No authorization header provided'


def test_an_avatar_is_a_square_and_seen_by_everybody(api: ServedApi, member: Member) -> None:
    user = ok(send(api, member, new_picture((900, 300)), path=AVATAR, method='PUT'))

    assert user == ok(api.get(f'/v1/users/{member.person.username}'))
    assert user['updated_at'] is not None
    response = api.get(path_of(user['avatar_url']))
    assert Image.open(BytesIO(response.content)).size == (512, 512)
    assert list_images(api, member) == []


def test_a_new_avatar_replaces_the_old(api: ServedApi, member: Member) -> None:
    old = ok(send(api, member, new_picture(), path=AVATAR, method='PUT'))['avatar_url']
    new = ok(send(api, member, new_picture(), path=AVATAR, method='PUT'))['avatar_url']

    assert api.get(path_of(new)).status_code == 200
    error_of(api.get(path_of(old)), HTTPStatus.NOT_FOUND)


def test_the_default_avatar_can_be_put_back(api: ServedApi, member: Member) -> None:
    url = ok(send(api, member, new_picture(), path=AVATAR, method='PUT'))['avatar_url']

    user = ok(api.request('DELETE', AVATAR, headers=member.bearer))

    assert user['avatar_url'] == 'default.jpg'
    error_of(api.get(path_of(url)), HTTPStatus.NOT_FOUND)
    assert ok(api.request('DELETE', AVATAR, headers=member.bearer)) == user


def test_all_urls_follow_the_api_to_another_address(api: ServedApi, member: Member, serve: Serve) -> None:
    avatar_url = ok(send(api, member, new_picture(), path=AVATAR, method='PUT'))['avatar_url']
    image, = upload(api, member, new_picture())
    old_base, new_base = api.environ['API_BASE_URL'], 'https://moved.test'

    elsewhere = serve(api.environ['DATABASE_URL'], api.environ | {'API_BASE_URL': new_base})

    moved = avatar_url.replace(old_base, new_base)
    assert moved.startswith(f'{new_base}/')
    answers = [
        ok(elsewhere.get(f'/v1/users/{member.person.username}')),
        ok(elsewhere.get('/v1/users/me', headers=member.bearer)),
        ok(elsewhere.request('PATCH', '/v1/users/me', json={}, headers=member.bearer)),
    ]
    assert [user['avatar_url'] for user in answers] == [moved] * 3
    assert list_images(elsewhere, member)[0]['url'] == image['url'].replace(old_base, new_base)
    assert elsewhere.get(moved.removeprefix(new_base)).status_code == 200


def test_an_avatar_is_one_picture(api: ServedApi, author: Member) -> None:
    none = api.request('PUT', AVATAR, headers=author.bearer)
    two = send(api, author, new_picture(), new_picture(), path=AVATAR, method='PUT')
    text = send(api, author, b'text', path=AVATAR, method='PUT')

    assert error_of(none, HTTPStatus.BAD_REQUEST) == 'One or more image files are of invalid type'
    assert error_of(text, HTTPStatus.BAD_REQUEST) == 'One or more image files are of invalid type'
    error_of(two, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def test_two_users_can_send_the_same_picture(api: ServedApi, author: Member) -> None:
    picture = new_picture()
    other = join(api)

    mine, = upload(api, author, picture)
    theirs, = upload(api, other, picture)
    api.request('DELETE', f'{IMAGES}/{theirs["id"]}', headers=other.bearer)

    assert mine['url'] != theirs['url']
    assert api.get(path_of(mine['url'])).status_code == 200
