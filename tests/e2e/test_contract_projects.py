"""The contract's table of project calls, and its rules about the bearer header."""
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import jwt
import pytest
from psycopg2.extensions import connection

from talelio_backend.app_account.data.jwt import JwtAccessTokens
from talelio_backend.shared.business.identity import Identity
from tests.support.answers import PROJECT_KEYS, TIME, error_of, ok
from tests.support.database import execute
from tests.support.members import Member, join, publish
from tests.support.raw_http import exchange, head
from tests.support.served_api import SECRET_KEY, ServedApi

PROJECTS = '/v1/projects'
BODY = {'title': 'A title', 'body': '# A heading'}


def test_publishing_answers_201_with_the_project(api: ServedApi, member: Member) -> None:
    body = 'Line one  \r\nline *two* \U0001f600\n\n\n'

    project = ok(
        api.post(PROJECTS, {
            'title': ' Ä title ',
            'body': body
        }, headers=member.bearer), HTTPStatus.CREATED
    )

    assert list(project) == PROJECT_KEYS
    assert isinstance(project['id'], int)
    assert project['user_id'] == member.account['user']['id']
    assert TIME.fullmatch(project['created_at'])
    assert project['updated_at'] is None
    assert (project['title'], project['body']) == (' Ä title ', body)
    assert project['html'] == '<p>Line one<br>\nline <em>two</em> \U0001f600</p>'


@pytest.mark.parametrize(
    ('body', 'named'),
    [({}, 'title'), ({
        'body': 'x'
    }, 'title'), ({
        'title': 'x'
    }, 'body')],
    ids=['both', 'title', 'body'],
)
def test_publishing_without_a_key_names_the_first_one_that_is_missing(
    api: ServedApi, author: Member, body: dict[str, str], named: str
) -> None:
    response = api.post(PROJECTS, body, headers=author.bearer)

    assert error_of(response, HTTPStatus.BAD_REQUEST) == f"Expected '{named}' key"


def test_a_list_is_a_bare_array_of_what_publishing_answered(api: ServedApi, member: Member) -> None:
    published = [publish(api, member, f'Title {number}', '*text*') for number in range(3)]

    projects = ok(api.get(member.projects_path))

    assert sorted(projects, key=lambda project: project['id']) == published
    assert [list(project) for project in projects] == [PROJECT_KEYS] * 3


def test_a_list_shows_the_newest_first(api: ServedApi, member: Member) -> None:
    for number in range(3):
        publish(api, member, f'Title {number}', '')

    titles = [project['title'] for project in ok(api.get(member.projects_path))]

    assert titles == ['Title 2', 'Title 1', 'Title 0']


def test_a_list_of_none_is_an_empty_array(api: ServedApi, member: Member) -> None:
    assert api.get(member.projects_path).text == '[]'


def test_a_list_holds_the_projects_of_no_other_user(api: ServedApi, member: Member) -> None:
    publish(api, join(api), 'Of another', '')

    assert ok(api.get(member.projects_path)) == []


def test_a_list_is_found_whatever_the_letter_case_of_the_username(api: ServedApi, member: Member) -> None:
    project = publish(api, member, 'A title', '')

    assert ok(api.get(member.projects_path.replace('/Person', '/pERSON'))) == [project]


@pytest.mark.parametrize(('name', 'shown'), [
    ('nobody-has-it', 'nobody-has-it'),
    ('a%20b', 'a b'),
    ('%C3%A4', 'ä'),
    ('x' * 300, 'x' * 300),
],
                         ids=['unknown', 'space', 'umlaut', 'long'])
def test_a_list_of_an_unknown_user_is_400_with_the_name(api: ServedApi, name: str, shown: str) -> None:
    response = api.get(f'/v1/users/{name}/projects')

    assert error_of(response, HTTPStatus.BAD_REQUEST) == f"User '{shown}' does not exist"


def test_times_have_six_digits_also_when_they_are_zero(
    api: ServedApi, database: connection, member: Member
) -> None:
    project = publish(api, member, 'A title', '')
    # In another time zone, too: what is answered is UTC.
    statement = 'UPDATE projects SET created_at = %s, updated_at = %s WHERE id = %s'
    times = '2026-01-31 23:59:59+00', '2026-02-01 01:00:00.5+02'
    assert execute(database, statement, *times, project['id']) == 1

    listed, = ok(api.get(member.projects_path))

    assert listed['created_at'] == '2026-01-31 23:59:59.000000'
    assert listed['updated_at'] == '2026-01-31 23:00:00.500000'


@pytest.mark.parametrize(
    'line',
    [
        'Authorization: Bearer',
        'Authorization: Bearer ',
        'Authorization: Bearer    ',
        'Authorization:Bearer',
        'Authorization:',
        'Authorization: ',
        'Authorization: Basic',
        'Authorization: Basic ',
        'Authorization: eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl',
        'authorization: bearer',
    ],
    ids=repr,
)
def test_a_header_without_a_token_in_it_is_403(api: ServedApi, line: str) -> None:
    response = exchange(api.url, head('POST', PROJECTS, line, 'Content-Length: 0'))

    assert error_of(response, HTTPStatus.FORBIDDEN) == 'No authorization token provided'


def test_no_header_at_all_is_403(api: ServedApi) -> None:
    raw = exchange(api.url, head('POST', PROJECTS, 'Content-Length: 0'))

    for response in (raw, api.post(PROJECTS, BODY)):
        assert error_of(response, HTTPStatus.FORBIDDEN) == 'No authorization header provided'


@pytest.mark.parametrize('form', ['Bearer {}', 'bearer {}', 'BEARER {}', 'Bearer   {} '])
def test_a_good_token_is_let_in_however_the_scheme_is_written(
    api: ServedApi, author: Member, form: str
) -> None:
    request = head('POST', PROJECTS, f'Authorization: {form.format(author.token)}')

    response = exchange(api.url, request)

    assert error_of(response, HTTPStatus.BAD_REQUEST) == 'Missing request body'


def test_the_guard_comes_before_the_body_is_looked_at(api: ServedApi) -> None:
    response = api.post(PROJECTS, data=b'{', headers={'Authorization': 'Bearer x'})

    assert error_of(response, HTTPStatus.FORBIDDEN) == 'Not enough segments'


def test_an_expired_token_is_403_in_pyjwts_words(api: ServedApi, author: Member) -> None:
    issued = datetime.now(UTC) - timedelta(hours=1)
    token = JwtAccessTokens(SECRET_KEY).issue(Identity(author.account['id']), issued)

    response = api.post(PROJECTS, BODY, headers={'Authorization': f'Bearer {token}'})

    assert error_of(response, HTTPStatus.FORBIDDEN) == 'Signature has expired'


def test_a_token_signed_with_another_key_is_403_in_pyjwts_words(api: ServedApi, author: Member) -> None:
    tokens = JwtAccessTokens('another key that is for the tests alone: 0123')
    token = tokens.issue(Identity(author.account['id']), datetime.now(UTC))

    response = api.post(PROJECTS, BODY, headers={'Authorization': f'Bearer {token}'})

    assert error_of(response, HTTPStatus.FORBIDDEN) == 'Signature verification failed'


@pytest.mark.parametrize(
    'garbage',
    ['x', 'a.b', 'a.b.c', 'a.b.c.d', '...', 'e30.e30.', 'eyJ9.e30.c2ln', '!.?.*', 'é.é.é'],
)
def test_garbage_is_403_in_pyjwts_words(api: ServedApi, garbage: str) -> None:
    with pytest.raises(jwt.PyJWTError) as caught:
        jwt.decode(garbage, 'k' * 32, algorithms=['HS256'])

    response = exchange(api.url, head('POST', PROJECTS, f'Authorization: Bearer {garbage}'))

    assert error_of(response, HTTPStatus.FORBIDDEN) == str(caught.value)
