"""One served API for all tests that can share it: each brings people whom no other test knows."""
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol

import pytest
from psycopg2.extensions import connection

from tests.support.database import connect, copy_of
from tests.support.members import WHITELIST, Member, Person, join, new_person
from tests.support.served_api import PATIENT_CONFIG, ServedApi
from tests.support.smtp_sink import SmtpSink
from tests.support.traefik_rig import Rig, behind_traefik

# In two spellings and beside the generated ones; each is for one test.
SPECIAL_ADDRESSES = ('maker@bücher.example', 'writer@xn--mller-kva.example', 'grüße@example.com')


@pytest.fixture(name='api_database_url', scope='session')
def _api_database_url(postgres_url: str) -> Iterator[str]:
    with copy_of(postgres_url) as url:
        yield url


@pytest.fixture(name='mail_server', scope='session')
def _mail_server() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture(name='api', scope='session')
def _api(tmp_path_factory: pytest.TempPathFactory, api_database_url: str,
         mail_server: SmtpSink) -> Iterator[ServedApi]:
    environ = {
        'SMTP_URL': mail_server.url,
        'WHITELISTED_EMAILS': ','.join([*WHITELIST, *SPECIAL_ADDRESSES]),
    }
    with ServedApi(tmp_path_factory.mktemp('api'), api_database_url, environ) as served:
        yield served


@pytest.fixture(name='rig', scope='session')
def _rig(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Rig]:
    """Traefik and two APIs, which no test ends."""
    with behind_traefik(tmp_path_factory.mktemp('rig'), postgres_url) as rig:
        yield rig


@pytest.fixture(name='patient', scope='session')
def _patient(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[ServedApi]:
    """A server whose requests wait for a lock until the test gives it free; on a database of its own."""
    environ = {'WHITELISTED_EMAILS': ','.join(WHITELIST)}
    with (
        copy_of(postgres_url) as url,
        ServedApi(tmp_path_factory.mktemp('patient'), url, environ, config=PATIENT_CONFIG) as served,
    ):
        yield served


class Serve(Protocol):

    def __call__(
        self,
        database_url: str,
        environ: Mapping[str, str] | None = None,
        *,
        config: str | None = None
    ) -> ServedApi:
        """Start another server, with a configuration of its own."""


@pytest.fixture(name='serve')
def _serve(tmp_path: Path, mail_server: SmtpSink) -> Iterator[Serve]:
    with ExitStack() as servers:

        def serve(
            database_url: str,
            environ: Mapping[str, str] | None = None,
            *,
            config: str | None = None
        ) -> ServedApi:
            shared = {'SMTP_URL': mail_server.url, 'WHITELISTED_EMAILS': ','.join(WHITELIST)}
            served = ServedApi(tmp_path, database_url, shared | dict(environ or {}), config=config)
            served.start()
            servers.callback(end, served)
            return served

        yield serve


def end(served: ServedApi) -> None:
    """Without the second that a graceful stop takes."""
    if served.runs:
        served.kill()


@pytest.fixture(name='database')
def _database(api_database_url: str) -> Iterator[connection]:
    """The served API's database; every statement is committed at once."""
    with closing(connect(api_database_url)) as connected:
        yield connected


@pytest.fixture(name='person')
def _person() -> Person:
    """Somebody who may register, and has not yet."""
    return new_person()


@pytest.fixture(name='member')
def _member(api: ServedApi) -> Member:
    return join(api)


@pytest.fixture(name='author', scope='module')
def _author(api: ServedApi) -> Member:
    """Somebody for the tests of a file that do not mind what others did in that name.

    A run of all files may take longer than a token is good for.
    """
    return join(api)
