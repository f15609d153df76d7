from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from sqlalchemy import make_url

from talelio_backend.bootstrap.adapters import MIGRATIONS_FOLDER
from talelio_backend.development.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from talelio_backend.shared.data import connections
from talelio_backend.shared.diagnostics.business.checks import CheckFailed, Status
from talelio_backend.shared.diagnostics.data.database_check import check_database
from tests.support.sockets import closed_port, silent_port

PLANTED = 'planted-password'


def check(url: str, *, server_migrates: bool = False) -> str:
    return check_database(lambda: nullcontext(url), MIGRATIONS_FOLDER, server_migrates=server_migrates)


def failure(url: str, *, server_migrates: bool = False) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        check(url, server_migrates=server_migrates)
    assert PLANTED not in caught.value.found + caught.value.remedy
    return caught.value


def changed(url: str, **changes: str) -> str:
    return make_url(url).set(**changes).render_as_string(hide_password=False)  # type: ignore[arg-type]


def test_a_migrated_database_is_ok(database_url: str) -> None:
    parts = make_url(database_url)

    found = check(database_url)

    assert found.startswith('PostgreSQL ')
    assert f' at {parts.host}:{parts.port}/{parts.database}, schema at ' in found


def test_the_password_may_stand_apart_from_the_url(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on AWS, where a secret is a variable of its own.
    url = make_url(database_url)
    monkeypatch.setenv('PGPASSWORD', str(url.password))

    assert check(str(url._replace(password=None))).startswith('PostgreSQL ')


def test_a_server_that_is_away() -> None:
    with closed_port() as port:
        error = failure(f'postgresql+psycopg2://maker:{PLANTED}@127.0.0.1:{port}/talelio')

    assert error.status is Status.FAIL
    assert 'refused' in error.found
    assert 'DATABASE_URL' in error.remedy


def test_a_server_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, 'CONNECT_TIMEOUT', 0.3)
    with silent_port() as port:
        error = failure(f'postgresql+psycopg2://maker:{PLANTED}@127.0.0.1:{port}/talelio')

    assert error.found == 'cannot connect: the database did not answer in time'


def test_a_wrong_password(database_url: str) -> None:
    assert 'password authentication failed' in failure(changed(database_url, password=PLANTED)).found


def test_a_database_that_is_not_there(database_url: str) -> None:
    assert 'nowhere' in failure(changed(database_url, database='nowhere')).found


@pytest.mark.parametrize(('server_migrates', 'status'), [(False, Status.FAIL), (True, Status.WARN)])
def test_a_database_that_was_never_migrated(
    empty_database_url: str, server_migrates: bool, status: Status
) -> None:
    error = failure(empty_database_url, server_migrates=server_migrates)

    assert error.status is status
    assert error.found.startswith('the schema is at no revision; this release needs ')
    assert error.remedy == 'Run: alembic upgrade head'


@pytest.mark.parametrize(
    'url', [
        f'postgresql+psycopg2://maker:{PLANTED}@127.0.0.1:port/talelio',
        f'postgresql+psycopg2://maker:{PLANTED}@127.0.0.1/talelio?planted=1',
        f'postgresql+psycopg2://maker:{PLANTED}@{"x" * 64}.example/talelio',
        f'postgresql+psycopg2://maker:{PLANTED}@127.0.0.1/talelio?sslmode=planted',
        'nonsense',
    ]
)
def test_a_malformed_url_is_a_failure(url: str) -> None:
    assert failure(url).status is Status.FAIL


def test_the_embedded_server_runs_during_the_check(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)

    with pytest.raises(CheckFailed, match='the schema is at no revision'):
        check_database(lambda: server, MIGRATIONS_FOLDER, server_migrates=True)

    assert not (tmp_path / 'data' / 'postmaster.pid').exists()


def test_the_reason_why_the_embedded_server_does_not_start_is_given() -> None:

    @contextmanager
    def refuse() -> Iterator[str]:
        raise EmbeddedPostgresError('no user namespaces here')
        yield ''  # type: ignore[unreachable]  # pylint: disable=unreachable

    with pytest.raises(CheckFailed, match='no user namespaces here'):
        check_database(refuse, MIGRATIONS_FOLDER, server_migrates=True)
