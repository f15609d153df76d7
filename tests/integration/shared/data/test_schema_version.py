import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from talelio_backend.bootstrap.adapters import MIGRATIONS_FOLDER
from talelio_backend.settings import PROJECT_FOLDER
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.data.engine import make_engine
from talelio_backend.shared.data.schema_version import SchemaVersion
from tests.support.engines import other_engine, outage, scalar
from tests.support.sockets import closed_port

HEAD = ScriptDirectory(str(MIGRATIONS_FOLDER)).get_current_head()


@pytest.fixture(name='engine')
def fixture_engine(shared_engine: Engine) -> Iterator[Engine]:
    """Migrated; what the test changes of the version is set back."""
    yield shared_engine
    set_version(shared_engine, HEAD)


def set_version(engine: Engine, *versions: str | None) -> None:
    with engine.begin() as connection:
        connection.execute(text('DELETE FROM alembic_version'))
        for version in versions:
            connection.execute(text('INSERT INTO alembic_version VALUES (:version)'), {'version': version})


def with_newer(folder: Path, *revisions: str) -> Path:
    """A copy of the migrations as a later release has them."""
    migrations = folder / 'migrations'
    shutil.copytree(MIGRATIONS_FOLDER, migrations, ignore=shutil.ignore_patterns('__pycache__'))
    older = HEAD
    for revision in revisions:
        (migrations / 'versions' / f'{revision}.py'
         ).write_text(f'revision = {revision!r}\ndown_revision = {older!r}\n', encoding='utf-8')
        older = revision
    return migrations


def test_the_schema_of_this_code_is_right(engine: Engine) -> None:
    SchemaVersion(engine, MIGRATIONS_FOLDER).check()


def test_a_database_that_was_never_migrated_is_not_ready(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url, pool_size=1)
    try:
        with pytest.raises(Unavailable, match=f'not at {HEAD}'):
            SchemaVersion(engine, MIGRATIONS_FOLDER).check()
    finally:
        engine.dispose()


def test_a_database_is_ready_as_soon_as_it_is_migrated(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url, pool_size=1)
    config = Config(PROJECT_FOLDER / 'alembic.ini')
    config.attributes['database_url'] = empty_database_url
    schema = SchemaVersion(engine, MIGRATIONS_FOLDER)
    try:
        with pytest.raises(Unavailable):
            schema.check()
        command.upgrade(config, 'head')
        schema.check()
        command.downgrade(config, 'base')
        with pytest.raises(Unavailable):
            schema.check()
    finally:
        engine.dispose()


@pytest.mark.parametrize('newer', [['aaaaaaaaaaaa'], ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc']])
def test_an_older_schema_is_not_ready(engine: Engine, tmp_path: Path, newer: list[str]) -> None:
    schema = SchemaVersion(engine, with_newer(tmp_path, *newer))

    for older in [HEAD, *newer[:-1]]:
        set_version(engine, older)
        with pytest.raises(Unavailable, match=f'is at {older}, not at {newer[-1]}'):
            schema.check()
    set_version(engine, newer[-1])
    schema.check()


def test_a_newer_schema_is_right_for_the_release_before(engine: Engine) -> None:
    set_version(engine, 'ffffffffffff')

    SchemaVersion(engine, MIGRATIONS_FOLDER).check()


def test_a_version_table_without_a_version_is_not_ready(engine: Engine) -> None:
    set_version(engine)

    with pytest.raises(Unavailable):
        SchemaVersion(engine, MIGRATIONS_FOLDER).check()


def test_a_database_that_is_down_is_not_ready(engine: Engine) -> None:
    with closed_port() as port, other_engine(engine, port=port) as unreachable:
        # The migrations are read from the disk, so that the service starts before its database.
        schema = SchemaVersion(unreachable, MIGRATIONS_FOLDER)

        with pytest.raises(Unavailable) as raised:
            schema.check()

    # The client reads it, so it names no host.
    assert raised.value.message == 'The database is not available'


def test_a_database_that_comes_back_is_ready(engine: Engine) -> None:
    schema = SchemaVersion(engine, MIGRATIONS_FOLDER)
    schema.check()

    with outage(engine), pytest.raises(Unavailable):
        schema.check()

    schema.check()


def test_an_exhausted_pool_is_not_ready(engine: Engine) -> None:
    with other_engine(engine, pool_size=1) as small, small.connect():
        with pytest.raises(Unavailable):
            SchemaVersion(small, MIGRATIONS_FOLDER).check()


def test_asking_often_keeps_no_connection(engine: Engine) -> None:
    with other_engine(engine, pool_size=1) as small:
        schema = SchemaVersion(small, MIGRATIONS_FOLDER)
        for _ in range(5):
            schema.check()

        assert scalar(small, 'SELECT 1') == 1
