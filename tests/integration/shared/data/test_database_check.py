from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path

import pytest
from sqlalchemy import make_url

from talelio_backend.bootstrap.adapters import MIGRATIONS_FOLDER
from talelio_backend.shared.business.checkup import Finding, Status
from talelio_backend.shared.data import bounded_connection
from talelio_backend.shared.data.database import make_engine
from talelio_backend.shared.data.database_check import DatabaseCheck
from talelio_backend.shared.data.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from tests.support.database import connect, execute, select_one
from tests.support.sockets import closed_port, silent_port
from tests.support.tcp_proxy import TcpProxy

PLANTED = 'planted-password'


def examine(url: str, *, wanted_connections: int = 5, migrates_itself: bool = False) -> dict[str, Finding]:
    check = DatabaseCheck(
        open_url=lambda: nullcontext(url),
        migrations=MIGRATIONS_FOLDER,
        wanted_connections=wanted_connections,
        migrates_itself=migrates_itself,
    )
    findings = list(check.examine())
    assert (make_url(url).password or PLANTED) not in repr(findings)
    return {finding.name: finding for finding in findings}


def changed(url: str, **changes: str | int | None) -> str:
    return make_url(url).set(**changes).render_as_string(hide_password=False)  # type: ignore[arg-type]


@contextmanager
def altered(url: str, what: str, back: str) -> Iterator[None]:
    """Both begin after ALTER, and name what is altered with {database} and {role}."""
    parts = make_url(url)
    with closing(connect(url, database='postgres')) as server:
        names = {'database': parts.database, 'role': parts.username}
        execute(server, f'ALTER {what.format(**names)}')
        try:
            yield
        finally:
            execute(server, f'ALTER {back.format(**names)}')


def wrong(findings: dict[str, Finding]) -> Finding:
    """The only one that is not ok."""
    finding, = (one for one in findings.values() if one.status is not Status.OK)
    return finding


def test_a_good_database_is_ok_in_every_respect(database_url: str) -> None:
    findings = examine(database_url)

    assert {finding.status for finding in findings.values()} == {Status.OK}
    assert list(findings) == [
        'database', 'database writes', 'database encoding', 'database clock', 'database connections',
        'database schema'
    ]
    parts = make_url(database_url)
    assert f'{parts.host}:{parts.port}/{parts.database}' in findings['database'].found


def test_the_version_is_the_servers(database_url: str) -> None:
    with closing(connect(database_url)) as connected:
        number = int(select_one(connected, "SELECT current_setting('server_version_num')"))

    assert f'PostgreSQL {number // 10000}.{number % 10000} ' in examine(database_url)['database'].found


# Away


def test_no_server() -> None:
    with closed_port() as port:
        findings = examine(f'postgresql+psycopg2://maker:{PLANTED}@127.0.0.1:{port}/talelio')

    assert list(findings) == ['database']
    assert findings['database'].status is Status.FAIL
    assert 'refused' in findings['database'].found
    assert 'Start PostgreSQL' in (findings['database'].mend or '')


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_connection, 'CONNECT_TIMEOUT', 0.3)
    with silent_port() as port:
        findings = examine(f'postgresql+psycopg2://maker:{PLANTED}@127.0.0.1:{port}/talelio')

    assert wrong(findings).found == f'127.0.0.1:{port}/talelio: the database did not answer in time'


def test_a_host_that_has_no_address() -> None:
    findings = examine(f'postgresql+psycopg2://maker:{PLANTED}@nowhere.invalid/talelio')

    assert wrong(findings).status is Status.FAIL
    assert 'nowhere.invalid' in wrong(findings).found


def test_a_server_that_falls_silent_after_it_let_us_in(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = make_url(database_url)
    with TcpProxy(parts.host or '', parts.port or 0) as proxy:
        check = DatabaseCheck(
            open_url=lambda: nullcontext(changed(database_url, port=proxy.port)),
            migrations=MIGRATIONS_FOLDER,
            wanted_connections=1,
            migrates_itself=False,
        )
        findings = check.examine()
        assert next(findings).status is Status.OK
        proxy.hang()
        monkeypatch.setattr(bounded_connection, 'ANSWER_TIMEOUT', 0.3)

        rest = list(findings)

    assert rest[-1].name == 'database' and rest[-1].status is Status.FAIL


# There, and not as it should be


def test_a_wrong_password(database_url: str) -> None:
    findings = examine(changed(database_url, password=PLANTED))

    assert 'password authentication failed' in wrong(findings).found
    assert 'user, password and database name' in (wrong(findings).mend or '')


def test_a_database_that_is_not_there(database_url: str) -> None:
    findings = examine(changed(database_url, database='planted_nowhere'))

    assert 'planted_nowhere' in wrong(findings).found
    assert 'user, password and database name' in (wrong(findings).mend or '')


def test_a_database_that_was_never_migrated(empty_database_url: str) -> None:
    finding = wrong(examine(empty_database_url))

    assert (finding.name, finding.status) == ('database schema', Status.FAIL)
    assert finding.mend == 'alembic upgrade head'


def test_where_the_server_migrates_that_is_only_a_warning(empty_database_url: str) -> None:
    assert wrong(examine(empty_database_url, migrates_itself=True)).status is Status.WARN


# Not the role alone: other tests use it meanwhile.
@pytest.mark.parametrize('thing', ['DATABASE {database}', 'ROLE {role} IN DATABASE {database}'])
def test_transactions_that_are_read_only(database_url: str, thing: str) -> None:
    setting = 'default_transaction_read_only'
    with altered(database_url, f'{thing} SET {setting} = on', f'{thing} RESET {setting}'):
        finding = wrong(examine(database_url))

    assert (finding.name, finding.status) == ('database writes', Status.FAIL)


def test_an_encoding_that_does_not_hold_every_text(database_url: str) -> None:
    name = f'{make_url(database_url).database}_ascii'
    with closing(connect(database_url, database='postgres')) as server:
        execute(server, f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
        try:
            findings = examine(changed(database_url, database=name))
        finally:
            execute(server, f'DROP DATABASE {name} WITH (FORCE)')

    assert findings['database encoding'].status is Status.FAIL
    assert 'SQL_ASCII' in findings['database encoding'].found


def test_fewer_connections_than_the_service_may_want(database_url: str) -> None:
    with altered(
        database_url, 'DATABASE {database} CONNECTION LIMIT 4', 'DATABASE {database} CONNECTION LIMIT -1'
    ):
        finding = wrong(examine(database_url, wanted_connections=5))
        assert {one.status for one in examine(database_url, wanted_connections=4).values()} == {Status.OK}

    assert (finding.name, finding.status) == ('database connections', Status.WARN)
    assert finding.found == '4 can be had, 5 are wanted at most'


def test_connections_of_others_count_and_the_services_own_do_not(database_url: str) -> None:
    limited = altered(
        database_url, 'DATABASE {database} CONNECTION LIMIT 10', 'DATABASE {database} CONNECTION LIMIT -1'
    )
    with limited, ExitStack() as sessions:
        own = make_engine(database_url, pool_size=3)
        sessions.callback(own.dispose)
        for _ in range(3):
            sessions.enter_context(own.connect())
        for _ in range(2):
            sessions.enter_context(closing(connect(database_url)))

        found = examine(database_url)['database connections'].found

    assert found == '8 can be had, 5 are wanted'


def test_a_server_without_a_connection_to_spare(database_url: str) -> None:
    role = f'{make_url(database_url).database}_role'
    with closing(connect(database_url, database='postgres')) as server:
        # To a superuser no limit applies.
        execute(server, f"CREATE ROLE {role} LOGIN PASSWORD '{PLANTED}' CONNECTION LIMIT 0")
        try:
            finding = wrong(examine(changed(database_url, username=role, password=PLANTED)))
        finally:
            execute(server, f'DROP ROLE {role}')

    assert finding.status is Status.FAIL
    assert 'too many connections' in finding.found


@pytest.mark.parametrize(('rights', 'name', 'reason'), [
    ('CONNECT ON DATABASE {database}', 'database', 'permission denied'),
    ('SELECT ON ALL TABLES IN SCHEMA public', 'database writes', 'may not read and write accounts, '),
])
def test_a_role_without_rights_to_the_tables(database_url: str, rights: str, name: str, reason: str) -> None:
    database = make_url(database_url).database
    role = f'{database}_guest'
    with closing(connect(database_url)) as own:
        execute(own, f"CREATE ROLE {role} LOGIN PASSWORD '{PLANTED}'")
        try:
            execute(own, f'GRANT {rights.format(database=database)} TO {role}')
            findings = examine(changed(database_url, username=role, password=PLANTED))
        finally:
            execute(own, f'DROP OWNED BY {role}')
            execute(own, f'DROP ROLE {role}')

    failures = {one.name: one.found for one in findings.values() if one.status is Status.FAIL}
    assert reason in failures[name]


# What DATABASE_URL holds by mistake


def test_of_a_password_with_an_at_sign_no_piece_is_looked_up() -> None:
    finding = wrong(examine(f'postgresql+psycopg2://maker:1@{PLANTED}@127.0.0.1/talelio'))

    assert PLANTED not in repr(finding)
    assert finding.mend == 'Write it as %40 in the URL'


@pytest.mark.parametrize(
    'url', [
        f'postgresql+psycopg2://maker:{PLANTED}@127.0.0.1:port/talelio',
        f'postgresql+psycopg2://maker:{PLANTED}@127.0.0.1/talelio?planted=1',
        f'postgresql+psycopg2://maker:{PLANTED}@{"x" * 64}.example/talelio',
        f'postgresql+psycopg2://maker:{PLANTED}@a..b/talelio',
        f'postgresql+psycopg2://maker:{PLANTED}@127.0.0.1/talelio?sslmode=planted',
        'nonsense',
    ]
)
def test_a_url_that_cannot_be_is_a_failure(url: str) -> None:
    check = DatabaseCheck(
        open_url=lambda: nullcontext(url),
        migrations=MIGRATIONS_FOLDER,
        wanted_connections=1,
        migrates_itself=False,
    )

    finding, = check.examine()

    assert finding.status is Status.FAIL
    assert PLANTED not in repr(finding)


# The embedded one


def test_the_embedded_server_is_started_for_as_long_as_it_is_looked_at(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    check = DatabaseCheck(
        open_url=lambda: server, migrations=MIGRATIONS_FOLDER, wanted_connections=1, migrates_itself=True
    )

    findings = {finding.name: finding for finding in check.examine()}

    assert findings['database'].status is Status.OK
    assert wrong(findings).name == 'database schema'
    assert not (tmp_path / 'data' / 'postmaster.pid').exists()


def test_an_embedded_server_that_cannot_be_had_says_why() -> None:

    @contextmanager
    def refuse() -> Iterator[str]:
        raise EmbeddedPostgresError('no user namespaces here')
        yield ''  # type: ignore[unreachable]  # pylint: disable=unreachable

    check = DatabaseCheck(
        open_url=refuse, migrations=MIGRATIONS_FOLDER, wanted_connections=1, migrates_itself=True
    )

    finding, = check.examine()

    assert finding.status is Status.FAIL
    assert 'no user namespaces here' in finding.found
