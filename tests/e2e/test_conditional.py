"""Reading again what has not changed, and changing only what one has seen."""
import gzip
from functools import partial
from http import HTTPStatus

import requests
from psycopg2.extensions import connection

from tests.support.answers import error_in, ok
from tests.support.at_once import at_once
from tests.support.database import execute
from tests.support.members import Member, publish
from tests.support.served_api import ServedApi
from tests.support.uploads import IMAGES, list_images, new_picture, upload

ME = '/v1/users/me'
UNCODED = {'Accept-Encoding': 'identity'}


def move(api: ServedApi, member: Member, place: str, tag: str) -> requests.Response:
    return api.request('PATCH', ME, json={'location': place}, headers=member.bearer | {'If-Match': tag})


def test_a_list_that_has_not_changed_is_not_sent_again(api: ServedApi, member: Member) -> None:
    publish(api, member, 'A title', 'word ' * 1000)
    first = api.get(member.projects_path)
    tag = first.headers['ETag']

    again = api.get(member.projects_path, headers={'If-None-Match': tag, 'Origin': 'http://localhost:3000'})

    assert (again.status_code, again.content) == (HTTPStatus.NOT_MODIFIED, b'')
    assert again.headers['ETag'] == tag
    assert again.headers['Cache-Control'] == 'public, no-cache'
    assert again.headers['Access-Control-Allow-Origin'] == 'http://localhost:3000'
    publish(api, member, 'Another title', '')
    changed = api.get(member.projects_path, headers={'If-None-Match': tag})
    assert len(ok(changed)) == 2
    assert changed.headers['ETag'] != tag


def test_a_list_comes_compressed_to_who_takes_it_so(api: ServedApi, member: Member) -> None:
    publish(api, member, 'A title', 'word ' * 1000)

    plain = api.get(member.projects_path, headers=UNCODED)
    coded = api.get(member.projects_path, headers={'Accept-Encoding': 'gzip'}, stream=True)

    bytes_ = coded.raw.read(decode_content=False)
    assert coded.headers['Content-Encoding'] == 'gzip'
    assert len(bytes_) == int(coded.headers['Content-Length']) < len(plain.content) / 5
    assert gzip.decompress(bytes_) == plain.content
    assert coded.headers['ETag'] != plain.headers['ETag']
    assert 'Accept-Encoding' in plain.headers['Vary'].split(', ')


def test_what_holds_a_token_is_neither_kept_nor_compressed(api: ServedApi, member: Member) -> None:
    response = api.post('/v1/accounts/login', member.person.login, headers={'Accept-Encoding': 'gzip'})

    ok(response)
    assert response.headers['Cache-Control'] == 'no-store'
    assert not {'ETag', 'Content-Encoding'} & set(response.headers)


def test_a_lost_update_is_refused(api: ServedApi, member: Member) -> None:
    seen = api.get(ME, headers=member.bearer).headers['ETag']

    first = move(api, member, 'Kiel', seen)
    second = move(api, member, 'Bremen', seen)

    assert error_in(second, HTTPStatus.PRECONDITION_FAILED)['code'] == 'precondition_failed'
    assert ok(api.get(ME, headers=member.bearer)) == ok(first)
    # What the change answered with is what the next one may name.
    ok(move(api, member, 'Bremen', first.headers['ETag']))


def test_a_change_goes_on_over_any_tag_that_holds(api: ServedApi, member: Member) -> None:
    tag = ok_tag(move(api, member, 'Kiel', '*'))
    # As a client has it that read it compressed, and among others.
    for place, condition in [('Bremen', '{}-gzip"'), ('Mainz', '"other", {}"'), ('Ulm', '{}", W/"other"')]:
        tag = ok_tag(move(api, member, place, condition.format(tag[:-1])))

    assert ok(api.get(ME, headers=member.bearer))['location'] == 'Ulm'
    error_in(move(api, member, 'Kiel', f'W/{tag}'), HTTPStatus.PRECONDITION_FAILED)


def ok_tag(response: requests.Response) -> str:
    ok(response)
    return response.headers['ETag']


def test_of_eight_changes_to_what_all_have_seen_one_goes_through(api: ServedApi, member: Member) -> None:
    seen = api.get(ME, headers=member.bearer).headers['ETag']

    answers = at_once([partial(move, api, member, f'Place {number}', seen) for number in range(8)])

    assert sorted(response.status_code for response in answers) == [200, *[412] * 7]
    won = next(response for response in answers if response.status_code == HTTPStatus.OK)
    assert ok(api.get(ME, headers=member.bearer)) == ok(won)


def test_a_picture_is_deleted_only_as_it_was_seen(api: ServedApi, member: Member) -> None:
    image, = upload(api, member, new_picture())
    path = f'{IMAGES}/{image["id"]}'
    tag = api.get(path, headers=member.bearer).headers['ETag']

    refused = api.request('DELETE', path, headers=member.bearer | {'If-Match': '"other"'})
    done = api.request('DELETE', path, headers=member.bearer | {'If-Match': tag})

    error_in(refused, HTTPStatus.PRECONDITION_FAILED)
    assert done.status_code == HTTPStatus.NO_CONTENT
    assert list_images(api, member) == []


def test_what_has_a_time_tells_it_and_is_asked_for_by_it(
    api: ServedApi, database: connection, member: Member
) -> None:
    path = f'/v1/users/{member.person.username}'
    user_id = member.account['user']['id']
    execute(database, f"UPDATE users SET created_at = '2026-01-02 03:04:05.678Z' WHERE id = {user_id}")

    modified = api.get(path).headers['Last-Modified']
    again = api.get(path, headers={'If-Modified-Since': modified})
    tagged = api.get(path, headers={'If-Modified-Since': modified, 'If-None-Match': '"other"'})

    assert modified == 'Fri, 02 Jan 2026 03:04:05 GMT'
    assert again.status_code == HTTPStatus.NOT_MODIFIED
    ok(tagged)
