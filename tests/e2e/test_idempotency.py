"""A POST that is sent again, for whatever reason, does what it does once."""
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
import requests
from psycopg2.extensions import connection

from tests.e2e.conftest import Serve
from tests.support.answers import error_in, ok
from tests.support.at_once import at_once
from tests.support.database import connect, execute, select_one
from tests.support.locks import cancel_waiting, locked
from tests.support.members import Member, Person, join
from tests.support.served_api import PATIENT_CONFIG, ServedApi
from tests.support.uploads import IMAGES, list_images, new_picture
from tests.support.waiting import wait_until

BODY = {'title': 'A title', 'body': 'Some *text*'}
REPLAYED = 'Idempotency-Replayed'


def publish(api: ServedApi, member: Member, key: str, body: Any = None) -> requests.Response:
    headers = member.bearer | {'Idempotency-Key': key}
    return api.post('/v1/projects', BODY if body is None else body, headers=headers)


def projects(api: ServedApi, member: Member) -> list[Any]:
    found: list[Any] = ok(api.get(member.projects_path))
    return found


@pytest.fixture(name='key')
def _key() -> str:
    return str(uuid4())


def test_the_same_request_again_gets_the_first_answer_again(api: ServedApi, member: Member, key: str) -> None:
    first = publish(api, member, key)
    # The same in other words, as a JSON library of another kind writes it; and the key in quotes.
    content = b'{ "body" : "Some *text*" , "title" : "A title" }'
    headers = member.bearer | {'Idempotency-Key': f'"{key}"', 'Content-Type': 'application/json'}
    again = [publish(api, member, key), api.post('/v1/projects', data=content, headers=headers)]

    project = ok(first, HTTPStatus.CREATED)
    assert REPLAYED not in first.headers
    for answer in again:
        assert (answer.status_code, answer.content) == (first.status_code, first.content)
        assert answer.headers['Content-Type'] == first.headers['Content-Type']
        assert answer.headers[REPLAYED] == 'true'
    assert projects(api, member) == [project]


def test_without_a_key_each_request_is_another(api: ServedApi, member: Member) -> None:
    for _ in range(2):
        ok(api.post('/v1/projects', BODY, headers=member.bearer), HTTPStatus.CREATED)

    assert len(projects(api, member)) == 2


def test_another_request_under_the_key_is_refused(api: ServedApi, member: Member, key: str) -> None:
    ok(publish(api, member, key), HTTPStatus.CREATED)

    refused = publish(api, member, key, BODY | {'title': 'Another title'})

    assert error_in(refused, HTTPStatus.UNPROCESSABLE_ENTITY)['code'] == 'idempotency_key_reused'
    assert len(projects(api, member)) == 1


def test_a_key_is_its_owners(api: ServedApi, member: Member, author: Member, key: str) -> None:
    first, other = publish(api, member, key), publish(api, author, key)

    assert ok(first, HTTPStatus.CREATED)['user_id'] != ok(other, HTTPStatus.CREATED)['user_id']
    assert REPLAYED not in other.headers


@pytest.mark.parametrize('key', ['', '""', 'x' * 256, 'a b', '"a', 'a"b', 'a\\b', 'ä'])
def test_what_cannot_be_a_key_is_refused(api: ServedApi, member: Member, key: str) -> None:
    headers = member.bearer | {'Idempotency-Key': key.encode('latin-1')}

    error = error_in(api.post('/v1/projects', BODY, headers=headers), HTTPStatus.BAD_REQUEST)

    assert error['code'] == 'invalid_idempotency_key'
    assert projects(api, member) == []


def test_a_refusal_leaves_the_key_good_for_what_is_mended(api: ServedApi, member: Member, key: str) -> None:
    error_in(publish(api, member, key, BODY | {'title': ' '}), HTTPStatus.BAD_REQUEST)

    mended = publish(api, member, key)

    ok(mended, HTTPStatus.CREATED)
    assert REPLAYED not in mended.headers


def test_of_eight_at_once_one_is_carried_out(api: ServedApi, member: Member, key: str) -> None:
    answers = at_once([partial(publish, api, member, key)] * 8)

    created = [answer for answer in answers if answer.status_code == HTTPStatus.CREATED]
    for answer in answers:
        if answer not in created:
            assert error_in(answer, HTTPStatus.CONFLICT)['code'] == 'idempotency_key_in_use'
            assert int(answer.headers['Retry-After']) > 0
    project, = projects(api, member)
    assert {answer.content for answer in created} == {publish(api, member, key).content}
    assert ok(created[0], HTTPStatus.CREATED) == project


def test_a_registration_that_is_sent_again_is_answered_again(
    api: ServedApi, person: Person, database: connection, key: str
) -> None:
    headers = {'Idempotency-Key': key}

    first, again = (api.post('/v1/accounts/register', person.registration, headers=headers) for _ in range(2))
    stranger = api.post(
        '/v1/accounts/register', person.registration | {'password': 'another password'}, headers=headers
    )

    account = ok(first, HTTPStatus.CREATED)
    assert ok(again, HTTPStatus.CREATED) == account
    assert again.headers[REPLAYED] == 'true'
    # Who does not know all that was sent learns no more than without a key.
    message = error_in(stranger, HTTPStatus.BAD_REQUEST)['message']
    assert message == f"Account with the email '{person.email}' already exists"
    told = select_one(
        database, 'SELECT string_agg(c::text, chr(10)) FROM idempotency_claims c WHERE key = %s', key
    )
    assert person.password not in told


def test_pictures_that_are_sent_again_are_answered_again(api: ServedApi, member: Member, key: str) -> None:
    pictures = [new_picture(), new_picture()]
    headers = member.bearer | {'Idempotency-Key': key}

    def send(contents: list[bytes]) -> requests.Response:
        files = [(f'picture-{number}', content) for number, content in enumerate(contents)]
        return api.post(IMAGES, files=files, headers=headers)

    first, again, other = send(pictures), send(pictures), send(pictures[::-1])

    ok(first)
    assert (again.content, again.headers[REPLAYED]) == (first.content, 'true')
    error_in(other, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert len(list_images(api, member)) == 2


def test_a_token_is_never_kept(api: ServedApi, member: Member, database: connection, key: str) -> None:
    headers = {'Idempotency-Key': key}

    answers = [api.post('/v1/accounts/login', member.person.login, headers=headers) for _ in range(2)]

    for answer in answers:
        ok(answer)
        assert REPLAYED not in answer.headers
    assert select_one(database, 'SELECT count(*) FROM idempotency_claims WHERE key = %s', key) == 0


def is_claimed(database: connection, key: str) -> bool:
    count = select_one(database, 'SELECT count(*) FROM idempotency_claims WHERE key = %s', key)
    return bool(count)


def test_a_fault_is_not_kept_and_meanwhile_others_wait(patient: ServedApi, key: str) -> None:
    url = patient.environ['DATABASE_URL']
    member = join(patient)
    with closing(connect(url)) as database, ThreadPoolExecutor() as pool:
        with locked(url, 'projects'):
            first = pool.submit(publish, patient, member, key)
            wait_until(lambda: is_claimed(database, key), 'the key is claimed')
            waiting = publish(patient, member, key)
            other = publish(patient, member, key, BODY | {'title': 'Another title'})
            cancel_waiting(url)
            failed = first.result()
    again = publish(patient, member, key)

    assert error_in(waiting, HTTPStatus.CONFLICT)['code'] == 'idempotency_key_in_use'
    assert waiting.headers['Retry-After'] == '2'
    error_in(other, HTTPStatus.UNPROCESSABLE_ENTITY)
    error_in(failed, HTTPStatus.SERVICE_UNAVAILABLE)
    assert projects(patient, member) == [ok(again, HTTPStatus.CREATED)]
    assert REPLAYED not in again.headers


def test_a_server_that_is_killed_leaves_no_doubt(serve: Serve, database_url: str, key: str) -> None:
    api = serve(database_url, config=PATIENT_CONFIG)
    member = join(api)
    unread_key = str(uuid4())
    with closing(connect(database_url)) as database, ThreadPoolExecutor() as pool:
        # Killed between the commit and the answer, as far as the client can tell.
        unread = publish(api, member, unread_key)
        with locked(database_url, 'projects'):
            lost = pool.submit(publish, api, member, key)
            wait_until(lambda: is_claimed(database, key), 'the key is claimed')
            api.kill()
        assert isinstance(lost.exception(), requests.ConnectionError)
        api.start()
        read = publish(api, member, unread_key)
        assert (read.content, read.headers[REPLAYED]) == (unread.content, 'true')
        error_in(publish(api, member, key), HTTPStatus.CONFLICT)
        # A minute later.
        execute(database, 'UPDATE idempotency_claims SET lease_ends_at = now() WHERE status IS NULL')
        again = publish(api, member, key)
    assert REPLAYED not in again.headers
    assert projects(api, member) == [ok(again, HTTPStatus.CREATED), ok(read, HTTPStatus.CREATED)]


def test_whenever_the_server_is_killed_each_key_is_one_project(serve: Serve, database_url: str) -> None:
    api = serve(database_url)
    member = join(api)
    with closing(connect(database_url)) as database:
        # After so many keys have been claimed since the start.
        for moment in (2, 6):
            keys = [str(uuid4()) for _ in range(10)]
            lost = post_until_killed(api, member, keys, database, moment)
            api.start()
            # A minute later.
            execute(database, 'UPDATE idempotency_claims SET lease_ends_at = now() WHERE status IS NULL')
            for key in keys:
                again = publish(api, member, key, BODY | {'title': key})
                project = ok(again, HTTPStatus.CREATED)
                assert lost.get(key, project) == project
        titles = [project['title'] for project in projects(api, member)]
        claimed = select_one(database, 'SELECT count(*) FROM idempotency_claims')
    assert len(titles) == len(set(titles)) == claimed == 20


def post_until_killed(api: ServedApi, member: Member, keys: list[str], database: connection,
                      moment: int) -> dict[str, Any]:
    """Return the projects that the client has heard of, by key."""
    count = 'SELECT count(*) FROM idempotency_claims'
    before = select_one(database, count)

    def post(key: str) -> requests.Response | None:
        try:
            return publish(api, member, key, BODY | {'title': key})
        except requests.RequestException:
            return None

    def is_time() -> bool:
        # What was too busy to be carried out has left its claim again.
        return all(call.done() for call in calls) or select_one(database, count) >= before + moment

    with ThreadPoolExecutor(len(keys)) as pool:
        calls = [pool.submit(post, key) for key in keys]
        wait_until(is_time, 'keys are claimed')
        api.kill()
    answers = {key: call.result() for key, call in zip(keys, calls)}
    return {
        key: answer.json()
        for key, answer in answers.items() if answer is not None and answer.status_code == HTTPStatus.CREATED
    }
