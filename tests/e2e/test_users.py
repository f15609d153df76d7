"""Profiles: seen by everybody, changed by their owner."""
from http import HTTPStatus
from typing import Any

import pytest

from tests.support.answers import TIME, USER_KEYS, error_of, ok
from tests.support.members import Member
from tests.support.served_api import ServedApi

ME = '/v1/users/me'


def test_a_user_is_shown_to_everybody_whatever_the_letter_case(api: ServedApi, member: Member) -> None:
    user = ok(api.get(f'/v1/users/{member.person.username.upper()}'))

    assert list(user) == USER_KEYS
    assert user == member.account['user']


@pytest.mark.parametrize('username', ['Nobody-Here', 'a..b', 'x' * 65, '%00', 'admin'])
def test_an_unknown_user_is_named_in_the_error(api: ServedApi, username: str) -> None:
    message = error_of(api.get(f'/v1/users/{username}'), HTTPStatus.BAD_REQUEST)

    name = username.replace('%00', '\0')
    assert message == f"User '{name}' does not exist"


def test_me_is_whoever_asks(api: ServedApi, member: Member) -> None:
    assert ok(api.get(ME, headers=member.bearer)) == member.account['user']


def test_me_wants_a_token(api: ServedApi) -> None:
    for method in 'GET', 'PATCH':
        assert error_of(api.request(method, ME), HTTPStatus.FORBIDDEN) == 'No authorization header provided'


def test_a_change_of_place_is_kept(api: ServedApi, member: Member) -> None:
    changed = ok(api.request('PATCH', ME, json={'location': 'Zürich'}, headers=member.bearer))

    assert TIME.fullmatch(changed['updated_at'])
    assert changed == member.account['user'] | {'location': 'Zürich', 'updated_at': changed['updated_at']}
    assert ok(api.get(f'/v1/users/{member.person.username}')) == changed


def test_nothing_to_change_is_no_change(api: ServedApi, member: Member) -> None:
    assert ok(api.request('PATCH', ME, json={}, headers=member.bearer)) == member.account['user']


def test_only_the_place_can_be_changed(api: ServedApi, member: Member) -> None:
    body = {
        'id': 1,
        'account_id': 1,
        'username': 'other',
        'avatar_url': 'http://evil.example',
        'created_at': ''
    }

    assert ok(api.request('PATCH', ME, json=body, headers=member.bearer)) == member.account['user']


def test_an_unknown_field_is_refused_by_name(api: ServedApi, author: Member) -> None:
    response = api.request('PATCH', ME, json={'location': 'Lisboa', 'loction': 'x'}, headers=author.bearer)

    assert error_of(response, HTTPStatus.BAD_REQUEST
                    ) == ("Unknown field 'loction' (did you mean 'location'?); this path takes 'location'")
    assert ok(api.get(ME, headers=author.bearer)) == author.account['user']


@pytest.mark.parametrize('location', [None, 1, True, [], {}, 'x' * 101, 'a\0b', 'a\nb', '\ud800'])
def test_what_is_no_place_is_refused(api: ServedApi, author: Member, location: Any) -> None:
    response = api.request('PATCH', ME, json={'location': location}, headers=author.bearer)

    assert error_of(response, HTTPStatus.BAD_REQUEST).startswith("'location' must")
    assert ok(api.get(ME, headers=author.bearer))['location'] == ''


def test_a_change_without_a_body_is_refused(api: ServedApi, author: Member) -> None:
    response = api.request('PATCH', ME, headers=author.bearer)

    assert error_of(response, HTTPStatus.BAD_REQUEST) == 'Missing request body'
