"""Parts that fail while the service runs: real ones, stopped, cut off, hung or killed for the test."""
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import requests
from psycopg2.extensions import connection
from requests import Response

from tests.e2e.conftest import Serve, end
from tests.support.answers import error_of, ok
from tests.support.at_once import at_once
from tests.support.database import connect, copy_of, execute, select_one
from tests.support.locks import locked, wait_for_waiting
from tests.support.members import WHITELIST, Member, Person, join, log_in, new_person, publish, register
from tests.support.migrated_cluster import MigratedCluster
from tests.support.own_postgres import OwnPostgres, own_postgres
from tests.support.served_api import PATIENT_CONFIG, ServedApi
from tests.support.smtp_sink import SmtpSink, link_in
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import wait_until

# Fewer than a worker has connections, as one worker may get them all.
CLIENTS = 8
# As many as one worker lets wait for the renderer, since it may get them all.
TEXTS = 8
PROJECT = {'title': 'A title', 'body': 'text'}


@pytest.fixture(name='postgres', scope='module')
def _postgres(tmp_path_factory: pytest.TempPathFactory,
              migrated_cluster: MigratedCluster) -> Iterator[OwnPostgres]:
    with own_postgres(tmp_path_factory.mktemp('own-postgres'), migrated_cluster) as postgres:
        yield postgres


@pytest.fixture(name='fragile', scope='module')
def _fragile(tmp_path_factory: pytest.TempPathFactory, postgres: OwnPostgres,
             mail_server: SmtpSink) -> Iterator[ServedApi]:
    """A server on that database, which it asks for every answer, and waits for as long as need be."""
    environ = {
        'SMTP_URL': mail_server.url,
        'WHITELISTED_EMAILS': ','.join(WHITELIST),
        'CACHE_MEMORY': '0',
    }
    with ServedApi(
        tmp_path_factory.mktemp('fragile'), postgres.url, environ, config=PATIENT_CONFIG
    ) as served:
        yield served


@dataclass(frozen=True, kw_only=True)
class Post:
    """A server with a database and a mail server of its own, and what stands before the latter."""

    api: ServedApi
    database: connection
    sink: SmtpSink
    proxy: TcpProxy

    def status(self, account: dict[str, Any]) -> Any:
        """Of the mail about the account."""
        query = "SELECT status FROM outbox WHERE payload->'account_id' = to_jsonb(%s)"
        return select_one(self.database, query, account['id'])

    def mails(self, account: dict[str, Any]) -> int:
        return [mail['To'] for mail in self.sink.mails].count(account['email'])


@pytest.fixture(name='post', scope='module')
def _post(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Post]:
    with (
        copy_of(postgres_url) as url,
        SmtpSink() as sink,
        TcpProxy('127.0.0.1', sink.port) as proxy,
        closing(connect(url)) as database,
    ):
        environ = {'SMTP_URL': f'smtp://127.0.0.1:{proxy.port}', 'WHITELISTED_EMAILS': ','.join(WHITELIST)}
        with ServedApi(tmp_path_factory.mktemp('post'), url, environ) as api:
            yield Post(api=api, database=database, sink=sink, proxy=proxy)


def unavailable(response: Response) -> str:
    message = error_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
    assert int(response.headers['Retry-After']) >= 1
    return message


def stop_server(postgres: OwnPostgres) -> None:
    postgres.stop()


def cut_connections(postgres: OwnPostgres) -> None:
    postgres.proxy.refuse()


def bring_back(postgres: OwnPostgres) -> None:
    postgres.start()
    postgres.proxy.forward()


def test_a_service_without_its_database_is_alive_and_ready_once_that_is_back(
    tmp_path: Path, postgres: OwnPostgres, mail_server: SmtpSink
) -> None:
    person = new_person()
    production = {
        'ENV': 'production',
        'API_BASE_URL': 'https://api.test',
        'SMTP_URL': mail_server.url,
        'WHITELISTED_EMAILS': person.email,
        'BCRYPT_COST': '10',
        'CACHE_MEMORY': '0',
    }
    api = ServedApi(tmp_path, postgres.url, production)
    calls: list[Callable[[], Response]] = [
        partial(api.get, '/health/ready'),
        partial(api.post, '/v1/accounts/register', person.registration),
        partial(api.post, '/v1/accounts/login', person.login),
        partial(api.get, '/v1/users/nobody-has-it/projects'),
    ]
    postgres.proxy.hang()
    try:
        api.start(wait_for='/health/live')
        for response in at_once(calls):
            assert 'The database is not available' in unavailable(response)

        cut_connections(postgres)
        for call in calls:
            unavailable(call())
        assert ok(api.get('/health/live')) == {'status': 'live'}

        bring_back(postgres)
        wait_until(lambda: api.get('/health/ready').status_code == HTTPStatus.OK, 'ready')
        member = join(api, person)
        project = publish(api, member, 'A title', 'text')
        # Over connections of both workers, on which the database then does not answer.
        get = partial(api.get, member.projects_path)
        assert [ok(response) for response in at_once([get] * CLIENTS)] == [[project]] * CLIENTS
        postgres.proxy.hang()
        for response in at_once([get] * CLIENTS):
            unavailable(response)
    finally:
        bring_back(postgres)
        end(api)


@pytest.mark.parametrize('fail', [stop_server, cut_connections])
def test_a_database_that_goes_in_the_middle_of_requests_leaves_nothing_half_done(
    fragile: ServedApi, postgres: OwnPostgres, fail: Callable[[OwnPostgres], None]
) -> None:
    member = join(fragile)
    project = publish(fragile, member, 'Before', 'text')
    person = new_person()
    with ThreadPoolExecutor(2) as pool:
        try:
            # The account's row is written before it waits to queue the mail.
            with locked(postgres.direct_url, 'outbox'), locked(postgres.direct_url, 'projects'):
                answers = [
                    pool.submit(fragile.post, '/v1/projects', PROJECT, headers=member.bearer),
                    pool.submit(fragile.post, '/v1/accounts/register', person.registration),
                ]
                wait_for_waiting(postgres.direct_url, 2)
                fail(postgres)
                for response in answers:
                    assert unavailable(response.result()) == \
                        'The database is not available, please try again'
                unavailable(fragile.get(member.projects_path))
                unavailable(fragile.get('/health/ready'))
                assert ok(fragile.get('/health/live')) == {'status': 'live'}
        finally:
            bring_back(postgres)

    # The very next request of each kind, on connections of which none is good any more.
    assert ok(fragile.get(member.projects_path)) == [project]
    newer = publish(fragile, member, 'After', 'text')
    assert ok(fragile.get(member.projects_path)) == [newer, project]
    account = register(fragile, person)
    with closing(connect(postgres.direct_url)) as database:
        query = 'SELECT count(*) FROM users WHERE account_id NOT IN (SELECT id FROM accounts)'
        assert select_one(database, query) == 0
        query = "SELECT count(*) FROM outbox WHERE payload->'account_id' = to_jsonb(%s)"
        assert select_one(database, query, account['id']) == 1


def test_a_restart_of_the_database_between_requests_costs_none(
    fragile: ServedApi, postgres: OwnPostgres
) -> None:
    member = join(fragile)
    # Opens connections in both workers.
    at_once([partial(fragile.get, member.projects_path)] * CLIENTS)

    postgres.stop()
    postgres.start()

    answers = at_once([partial(fragile.get, member.projects_path)] * CLIENTS)
    assert {response.text for response in answers} == {'[]'}


def test_requests_that_all_wait_for_one_lock_are_given_up_and_the_next_is_fine(
    api: ServedApi, api_database_url: str, member: Member
) -> None:
    post = partial(api.post, '/v1/projects', PROJECT, headers=member.bearer)

    with locked(api_database_url, 'projects'), ThreadPoolExecutor(TEXTS) as pool:
        waiting = [pool.submit(post) for _ in range(TEXTS)]
        wait_for_waiting(api_database_url)
        read = api.get(member.projects_path)
        answers = [response.result() for response in waiting]

    assert ok(read) == []
    for response in answers:
        assert unavailable(response) == 'The database is not available, please try again'
    assert ok(api.get(member.projects_path)) == []
    project = publish(api, member, 'A title', '')
    assert ok(api.get(member.projects_path)) == [project]


def test_a_request_that_gets_its_lock_is_served(fragile: ServedApi, postgres: OwnPostgres) -> None:
    member = join(fragile)
    with ThreadPoolExecutor(1) as pool:
        with locked(postgres.direct_url, 'projects'):
            response = pool.submit(fragile.post, '/v1/projects', PROJECT, headers=member.bearer)
            wait_for_waiting(postgres.direct_url)

        project = ok(response.result(), HTTPStatus.CREATED)

    assert ok(fragile.get(member.projects_path)) == [project]


def test_a_connection_that_was_silent_for_a_while_is_used_again(
    fragile: ServedApi, postgres: OwnPostgres
) -> None:
    member = join(fragile)
    with ThreadPoolExecutor(1) as pool:
        try:
            postgres.proxy.hang()
            response = pool.submit(fragile.get, member.projects_path)
        finally:
            postgres.proxy.forward()

        assert ok(response.result()) == []


def test_a_stopping_server_answers_the_requests_in_flight(serve: Serve, database_url: str) -> None:
    api = serve(database_url, config=PATIENT_CONFIG)
    member = join(api)
    post = partial(api.post, '/v1/projects', PROJECT, headers=member.bearer)
    number = TEXTS
    with ThreadPoolExecutor(number + 1) as pool:
        with locked(database_url, 'projects'):
            answers = [pool.submit(post) for _ in range(number)]
            wait_for_waiting(database_url, number)
            exit_code = pool.submit(api.stop)
            wait_until(lambda: 'Handling signal: term' in api.log(), 'signal handled')

        projects = [ok(response.result(), HTTPStatus.CREATED) for response in answers]
        assert exit_code.result() == 0

    with closing(connect(database_url)) as database:
        query = 'SELECT count(*) FROM projects WHERE id = ANY(%s)'
        ids = [project['id'] for project in projects]
        assert select_one(database, query, ids) == number


def message_ids(mail_server: SmtpSink, person: Person) -> list[str]:
    return [mail['Message-ID'] for mail in mail_server.mails if mail['To'] == person.email]


def let_leases_run_out(url: str) -> None:
    """What two minutes would do."""
    with closing(connect(url)) as database:
        execute(database, "UPDATE outbox SET due_at = created_at WHERE status = 'pending'")


def statuses(url: str) -> list[Any]:
    with closing(connect(url)) as database, database.cursor() as cursor:
        cursor.execute('SELECT status FROM outbox ORDER BY id')
        return [row[0] for row in cursor.fetchall()]


def test_mail_comes_once_although_the_server_was_killed_right_after_the_registrations(
    serve: Serve, database_url: str, mail_server: SmtpSink
) -> None:
    api = serve(database_url)
    people = [new_person() for _ in range(8)]

    at_once([partial(register, api, person) for person in people])
    api.kill()
    let_leases_run_out(database_url)
    api.start()

    for person in people:
        mail_server.wait_for(to=person.email)
    wait_until(lambda: statuses(database_url) == ['sent'] * 8, 'all marked as sent')
    assert [len(set(message_ids(mail_server, person))) for person in people] == [1] * 8
    mail, *_ = mail_server.wait_for(to=people[0].email)
    ok(api.get(link_in(mail).removeprefix('http://api.test')))
    log_in(api, people[0])


def test_mail_that_was_taken_by_a_server_that_could_not_say_so_has_the_same_id_the_second_time(
    serve: Serve, database_url: str, smtp_sink: SmtpSink
) -> None:
    api = serve(database_url, {'SMTP_URL': smtp_sink.url})
    person = new_person()
    smtp_sink.before_answer = api.kill

    register(api, person)
    smtp_sink.wait_for(to=person.email)
    wait_until(lambda: not api.runs, 'killed')
    smtp_sink.before_answer = None
    assert statuses(database_url) == ['pending']
    let_leases_run_out(database_url)
    api.start()

    smtp_sink.wait_for(2, to=person.email)
    wait_until(lambda: statuses(database_url) == ['sent'], 'marked as sent')
    ids = message_ids(smtp_sink, person)
    assert len(ids) == 2 and len(set(ids)) == 1


def refuse(proxy: TcpProxy) -> None:
    proxy.refuse()


def hang(proxy: TcpProxy) -> None:
    proxy.hang()


@pytest.mark.parametrize('fail', [refuse, hang])
def test_mail_comes_once_when_the_mail_server_is_back_and_nobody_waits_for_it(
    post: Post, person: Person, fail: Callable[[TcpProxy], None]
) -> None:
    fail(post.proxy)
    try:
        response = post.api.post('/v1/accounts/register', person.registration)

        account = ok(response, HTTPStatus.CREATED)
        query = 'SELECT tries FROM outbox ORDER BY id DESC LIMIT 1'
        wait_until(lambda: select_one(post.database, query) >= 1, 'a try')
        # Whoever has hung until now is cut off.
        post.proxy.refuse()
        query = 'SELECT last_error IS NOT NULL FROM outbox ORDER BY id DESC LIMIT 1'
        wait_until(lambda: select_one(post.database, query), 'failure noted')
        assert (post.mails(account), post.status(account)) == (0, 'pending')
    finally:
        post.proxy.forward()

    post.sink.wait_for(to=person.email)
    wait_until(lambda: post.status(account) == 'sent', 'marked as sent')
    assert post.mails(account) == 1


def test_mail_that_is_refused_for_now_is_tried_again_and_for_good_is_not(post: Post) -> None:
    post.sink.refuse_with = '451 Later'
    later = register(post.api, new_person())
    wait_until(lambda: 'refused the mail (451)' in post.api.log(), 'put off')
    post.sink.refuse_with = None
    post.sink.wait_for(to=later['email'])

    post.sink.refuse_with = '554 Never'
    never = register(post.api, new_person())
    wait_until(lambda: post.status(never) == 'failed', 'given up')
    post.sink.refuse_with = None

    assert (post.mails(later), post.mails(never)) == (1, 0)


def test_no_mail_comes_from_a_registration_that_was_rolled_back(post: Post, person: Person) -> None:
    # The last thing that a registration does, before its commit.
    execute(post.database, 'ALTER TABLE outbox ADD CONSTRAINT none CHECK (false) NOT VALID')
    try:
        response = post.api.post('/v1/accounts/register', person.registration)
    finally:
        execute(post.database, 'ALTER TABLE outbox DROP CONSTRAINT none')

    error_of(response, HTTPStatus.INTERNAL_SERVER_ERROR)
    accepted = register(post.api, new_person())
    post.sink.wait_for(to=accepted['email'])
    assert post.mails({'email': person.email}) == 0
    # Nor is anything else left of it.
    register(post.api, person)


def test_every_acknowledged_project_outlives_a_killed_server(serve: Serve, database_url: str) -> None:
    api = serve(database_url)
    member = join(api)
    acknowledged: list[dict[str, Any]] = []

    def publish_until_killed() -> None:
        # Before the answer, or in the middle of it.
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            while True:
                acknowledged.append(publish(api, member, 'A title', 'text'))

    with ThreadPoolExecutor(4) as pool:
        authors = [pool.submit(publish_until_killed) for _ in range(4)]
        wait_until(lambda: len(acknowledged) >= 20, 'some published')
        api.kill()
        for author in authors:
            author.result()
    api.start()

    listed = {project['id']: project for project in ok(api.get(member.projects_path))}
    assert [listed[project['id']] for project in acknowledged] == acknowledged
    # At most one more for each author, whose answer was cut off.
    assert len(acknowledged) <= len(listed) <= len(acknowledged) + 4
