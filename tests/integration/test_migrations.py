import ast
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from talelio_backend.bootstrap import map_entities
from talelio_backend.bootstrap.adapters import MIGRATIONS_FOLDER
from talelio_backend.settings import PROJECT_FOLDER
from talelio_backend.shared.data.change_notifications import is_public
from talelio_backend.shared.data.orm import metadata
from tests.support.engines import copied_database
from tests.support.served_api import SECRET_KEY
from tests.support.waiting import wait_until

SCRIPTS = ScriptDirectory(str(MIGRATIONS_FOLDER))
# Oldest first.
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()][::-1]
HEAD = REVISIONS[-1]

# Seconds; only a test that fails waits so long.
PATIENCE = 60.0
# The one that migrations/env.py takes.
LOCK = 0x74616C65
# Other tests' databases are on the same server.
ADVISORY_LOCKS = """
    SELECT pid FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

# Everything that a schema consists of here, as the server itself words it. Alembic's comparison leaves out
# some of it, such as the condition of a partial index.
_CATALOGUE = {
    'columns': """
        SELECT table_name, column_name, format_type(atttypid, atttypmod), is_nullable, column_default,
            identity_generation, collation_name
        FROM information_schema.columns
        JOIN pg_attribute ON attrelid = quote_ident(table_name)::regclass AND attname = column_name
        WHERE table_schema = 'public'
    """,
    'constraints': """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        AND contype <> 't' -- constraint triggers, which are among the triggers
    """,
    'indexes': "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    'relations': """
        SELECT relname, relkind::text, relpersistence::text
        FROM pg_class WHERE relnamespace = 'public'::regnamespace
    """,
    'types': """
        SELECT typname, typtype::text FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typtype <> 'c' AND typelem = 0
    """,
    'functions': "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    'triggers': 'SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal',
}
ONE_USER = """
    INSERT INTO accounts (email, password_hash, verified, created_at, link_requested_at, link_serial)
        VALUES ('a@example.com', 'hash', true, now(), now(), 1);
    INSERT INTO users (account_id, username, location, created_at) SELECT id, 'a', '', now() FROM accounts
"""
# What only the migrations make.
_OF_MIGRATIONS = ('functions', 'triggers')


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(query))]


def schema_in(connection: Connection) -> dict[str, set[tuple[Any, ...]]]:
    """All but Alembic's own table, which stays when everything is taken down."""
    return {
        name: {row
               for row in rows(connection, query) if not str(row[0]).startswith('alembic_version')}
        for name, query in _CATALOGUE.items()
    }


def differences(connection: Connection) -> list[Any]:
    """As Alembic sees them."""
    map_entities()
    options = {'compare_type': True, 'compare_server_default': True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def schema_of(engine: Engine) -> dict[str, set[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return schema_in(connection)


def do(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def versions_in(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [version for version, in rows(connection, 'SELECT version_num FROM alembic_version')]


def engine_for(url: str) -> Iterator[Engine]:
    # Without a pool nothing stays open that would hinder a migration.
    engine = create_engine(url, poolclass=NullPool)
    yield engine
    engine.dispose()


@pytest.fixture(name='connection')
def fixture_connection(shared_engine: Engine) -> Iterator[Connection]:
    """To a migrated database. What the test changes of it is rolled back."""
    with shared_engine.connect() as connection:
        yield connection


@pytest.fixture(name='empty')
def fixture_empty(empty_database_url: str) -> Iterator[Engine]:
    yield from engine_for(empty_database_url)


@pytest.fixture(name='migrated')
def fixture_migrated(database_url: str) -> Iterator[Engine]:
    yield from engine_for(database_url)


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def config_for(engine: Engine, ini: Path = PROJECT_FOLDER / 'alembic.ini') -> Config:
    config = Config(ini)
    config.attributes['database_url'] = url_of(engine)
    # The migrations may be a copy elsewhere; the code is here.
    config.set_main_option('prepend_sys_path', str(PROJECT_FOLDER))
    return config


def alembic(engine: Engine, *arguments: str) -> subprocess.Popen[str]:
    """The command as a deployment or a developer runs it."""
    return subprocess.Popen(
        [sys.executable, '-m', 'alembic', *arguments],
        cwd=PROJECT_FOLDER,
        env={
            'PATH': os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']]),
            'ENV': 'testing',
            'SECRET_KEY': SECRET_KEY,
            'DATABASE_URL': url_of(engine),
            'PYTHONPATH': str(PROJECT_FOLDER),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def output_of(process: subprocess.Popen[str]) -> str:
    with process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    return output


def has_found_the_lock_taken(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(
            rows(
                connection, "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND (query LIKE '%pg_try_advisory_lock%' OR query = 'COMMIT')"
            )
        ) or bool(rows(connection, f'{ADVISORY_LOCKS} AND NOT granted'))


# Up and down


def test_the_revisions_are_one_line() -> None:
    assert len(SCRIPTS.get_heads()) == len(SCRIPTS.get_bases()) == 1
    assert all(
        not script.is_merge_point and not script.is_branch_point for script in SCRIPTS.walk_revisions()
    )


def test_each_revision_goes_up_down_and_up_again(empty: Engine) -> None:
    config = config_for(empty)
    below = 'base'
    for revision in REVISIONS:
        before = schema_of(empty)
        command.upgrade(config, revision)
        after = schema_of(empty)
        command.downgrade(config, below)
        assert schema_of(empty) == before, f'the downgrade of {revision}'
        command.upgrade(config, revision)
        assert schema_of(empty) == after, f'the second upgrade to {revision}'
        assert before != after, f'{revision} does nothing'
        below = revision


def test_all_the_way_down_leaves_nothing(migrated: Engine) -> None:
    command.downgrade(config_for(migrated), 'base')

    assert not any(schema_of(migrated).values())
    assert not versions_in(migrated)


def test_another_upgrade_does_nothing_and_keeps_what_is_in_the_tables(
    migrated: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    columns = '(email, password_hash, verified, created_at, link_requested_at, link_serial)'
    values = "('maker@example.com', 'hash', false, now(), now(), 1)"
    do(migrated, f'INSERT INTO accounts {columns} VALUES {values}')
    before = schema_of(migrated)
    caplog.set_level(logging.INFO, 'alembic')

    command.upgrade(config_for(migrated), 'head')

    assert 'Running upgrade' not in caplog.text
    assert schema_of(migrated) == before
    with migrated.connect() as connection:
        assert rows(connection, 'SELECT email FROM accounts') == [('maker@example.com', )]


def test_without_their_pictures_users_have_the_default_avatar(migrated: Engine) -> None:
    insert = """
        WITH account AS (
            INSERT INTO accounts
                (email, password_hash, verified, created_at, link_requested_at, link_serial)
            VALUES ('maker@example.com', 'hash', true, now(), now(), 1)
            RETURNING id
        )
        INSERT INTO users (account_id, username, location, created_at, avatar_digest)
        SELECT id, 'maker', '', now(), 'a' FROM account
    """
    do(migrated, insert)

    command.downgrade(config_for(migrated), '431704c07916')

    with migrated.connect() as connection:
        assert rows(connection, 'SELECT avatar_url FROM users') == [('default.jpg', )]


def test_projects_of_the_release_before_get_slugs_of_their_titles(migrated: Engine) -> None:
    config = config_for(migrated)
    command.downgrade(config, '9c5f2b8e1d37')
    do(
        migrated, """
        INSERT INTO accounts (email, password_hash, verified, created_at, link_requested_at, link_serial)
            SELECT name || '@example.com', 'hash', true, now(), now(), 1 FROM unnest(ARRAY['a', 'b']) name;
        INSERT INTO users (account_id, username, location, created_at)
            SELECT id, left(email, 1), '', now() FROM accounts;
        INSERT INTO projects (user_id, created_at, title, body, html)
            SELECT users.id, '2026-01-01', title, '', '' FROM users, unnest(ARRAY[
                'Über uns!', 'Uber uns', 'x', 'x 5', 'X', '🎉', repeat('word ', 40), repeat('word ', 40)
            ]) WITH ORDINALITY AS title (title, place) ORDER BY username, place;
        INSERT INTO projects (user_id, created_at, title, body, html)
            SELECT 1, now(), 'Many', '', '' FROM generate_series(1, 1200)
        """
    )

    command.upgrade(config, 'head')

    # As the release before still does.
    do(migrated, "INSERT INTO projects (user_id, created_at, title, body, html) SELECT 1, now(), 'N', '', ''")
    words = '-'.join(['word'] * 16)
    with migrated.connect() as connection:
        slugs = [slug for slug, in rows(connection, 'SELECT slug FROM projects WHERE id <= 8 ORDER BY id')]
        assert slugs[:4] + slugs[5:7] == ['uber-uns', 'uber-uns-2', 'x', 'x-5', 'project', words]
        # That 'x-5' is taken, too.
        assert re.fullmatch('project-[0-9a-f-]{36}', slugs[4])
        assert slugs[7] == f'{words[:68]}-8'
        assert rows(connection,
                    'SELECT count(*), count(DISTINCT (user_id, slug)) FROM projects') == [(1217, 1217)]
        assert rows(connection, 'SELECT count(*) FROM projects WHERE published_at <> created_at') == [(0, )]
        newest, = rows(
            connection,
            'SELECT slug, status, published_at = created_at FROM projects ORDER BY id DESC LIMIT 1'
        )
        assert re.fullmatch('project-[0-9a-f-]{36}', newest[0]) and newest[1:] == ('published', True)


def test_projects_of_the_release_before_are_changes_to_be_told_and_are_counted(migrated: Engine) -> None:
    config = config_for(migrated)
    command.downgrade(config, 'e83a47c1f265')
    do(migrated, ONE_USER)
    do(
        migrated, """
        INSERT INTO projects (user_id, created_at, title, body, html, status, published_at)
            SELECT users.id, now(), '', '', '', status, published_at::timestamptz FROM users, (VALUES
                ('published', '2020-01-01'), ('draft', '2020-01-01'), ('published', '2999-01-01'),
                ('draft', NULL), ('published', NULL), ('published', '2020-01-01')
            ) AS project (status, published_at)
        """
    )

    command.upgrade(config, 'head')

    with migrated.connect() as connection:
        told = rows(
            connection, """
            SELECT project_id - (SELECT min(id) FROM projects), number - (SELECT min(number) FROM project_changes),
                removed, due_at IS NOT NULL
            FROM project_changes ORDER BY project_id
            """
        )
        counted = rows(connection, 'SELECT total, drafts, published FROM project_counts')
    assert counted == [(6, 2, 3)]
    assert told == [(0, 0, False, False), (2, None, True, True), (5, 1, False, False)]


def test_projects_of_the_release_before_are_found_without_accents_and_are_no_changes_to_be_told(
    migrated: Engine
) -> None:
    config = config_for(migrated)
    command.downgrade(config, '4e8a1d7c2f96')
    do(migrated, ONE_USER)
    do(
        migrated, """
        INSERT INTO projects (user_id, created_at, title, body, html, tags)
            SELECT users.id, now(), title, body, '', tags
            FROM generate_series(1, 15), users, (VALUES
                ('Étagère', '', '{}'::text[]), ('', 'Étagère', '{}'), ('', '', ARRAY['Étagère', 'Tisch']), ('x', 'x', '{}')
            ) AS project (title, body, tags)
        """
    )
    with migrated.connect() as connection:
        told = rows(connection, 'SELECT * FROM project_changes ORDER BY number')

    command.upgrade(config, 'head')

    # As the release before still does.
    do(
        migrated,
        "INSERT INTO projects (user_id, created_at, title, body, html) SELECT 1, now(), 'Étagère', '', ''"
    )
    with migrated.connect() as connection:
        for query in 'etagere', 'étagère':
            found = f"SELECT count(*) FROM projects WHERE search @@ to_tsquery('simple', '{query}:*')"
            assert rows(connection, found) == [(46, )], query
        assert rows(connection, 'SELECT * FROM project_changes ORDER BY number')[:-1] == told
        assert len(told) == 60


def test_tags_of_the_release_before_lose_the_dot_of_a_capital_i(migrated: Engine) -> None:
    config = config_for(migrated)
    command.downgrade(config, '4e8a1d7c2f96')
    do(migrated, ONE_USER)
    do(
        migrated, r"""
        INSERT INTO projects (user_id, created_at, title, body, html, tags)
            SELECT id, now(), '', '', '', ARRAY['wood', U&'i\0307zmir', 'ash', 'izmir'] FROM users
        """
    )

    command.upgrade(config, 'head')

    with migrated.connect() as connection:
        assert rows(connection, 'SELECT tags FROM projects') == [(['wood', 'izmir', 'ash'], )]


def test_projects_of_the_release_before_get_documents_and_are_no_changes_to_be_told(migrated: Engine) -> None:
    config = config_for(migrated)
    command.downgrade(config, '8c2f5d91e7a4')
    do(migrated, ONE_USER)
    do(
        migrated, """
        INSERT INTO projects (user_id, created_at, title, body, html)
            SELECT users.id, now(), 'Chair ' || number, '', '' FROM generate_series(1, 120) AS number, users
        """
    )
    with migrated.connect() as connection:
        told = rows(connection, 'SELECT * FROM project_changes ORDER BY number')

    command.upgrade(config, 'head')

    with migrated.connect() as connection:
        titles = rows(connection, "SELECT (document || '}')::json ->> 'title' FROM projects ORDER BY id")
        assert titles == [(f'Chair {number}', ) for number in range(1, 121)]
        assert rows(connection, 'SELECT * FROM project_changes ORDER BY number') == told


# At once


def test_several_upgrades_at_once_all_succeed_and_one_does_the_work(empty: Engine) -> None:
    processes = [alembic(empty, 'upgrade', 'head') for _ in range(3)]

    outputs = [output_of(process) for process in processes]

    assert sum(output.count('Running upgrade') for output in outputs) == len(REVISIONS)
    assert versions_in(empty) == [HEAD]


def test_an_upgrade_that_fails_leaves_nothing_and_does_not_block_the_next(empty: Engine) -> None:
    # In the way of the last table of the first revision.
    do(empty, 'CREATE TABLE projects (id integer)')
    before = schema_of(empty)

    with pytest.raises(ProgrammingError, match='relation "projects" already exists'):
        command.upgrade(config_for(empty), 'head')
    after = schema_of(empty)
    do(empty, 'DROP TABLE projects')
    command.upgrade(config_for(empty), 'head')

    assert after == before
    assert versions_in(empty) == [HEAD]


def test_an_upgrade_of_a_schema_that_is_newer_than_this_code_does_nothing(empty: Engine) -> None:
    command.upgrade(config_for(empty), 'head')
    do(empty, "UPDATE alembic_version SET version_num = 'of_a_newer_one'")
    before = schema_of(empty)

    output = output_of(alembic(empty, 'upgrade', 'head'))

    assert 'The schema belongs to a newer, compatible release' in output
    assert (schema_of(empty), versions_in(empty)) == (before, ['of_a_newer_one'])


def test_a_downgrade_of_a_schema_that_is_newer_than_this_code_is_refused(empty: Engine) -> None:
    command.upgrade(config_for(empty), 'head')
    do(empty, "UPDATE alembic_version SET version_num = 'of_a_newer_one'")

    with pytest.raises(CommandError, match="Can't locate revision"):
        command.downgrade(config_for(empty), 'base')


def test_an_upgrade_that_waits_for_another_does_not_hold_up_an_index_made_concurrently(empty: Engine) -> None:
    do(empty, 'CREATE TABLE stray (id integer)')
    with empty.connect().execution_options(isolation_level='AUTOCOMMIT') as other:
        other.execute(text(f'SELECT pg_advisory_lock({LOCK})'))
        waiting = alembic(empty, 'upgrade', 'head')
        wait_until(lambda: has_found_the_lock_taken(empty), 'the upgrade waits', timeout=PATIENCE)
        other.execute(text("SET lock_timeout = '20s'"))
        other.execute(text('CREATE INDEX CONCURRENTLY ON stray (id)'))

        other.execute(text(f'SELECT pg_advisory_unlock({LOCK})'))

    assert 'Running upgrade' in output_of(waiting)
    assert versions_in(empty) == [HEAD]


def test_the_lock_is_given_back(empty: Engine) -> None:
    command.upgrade(config_for(empty), 'head')

    with empty.connect() as connection:
        assert not rows(connection, ADVISORY_LOCKS)


# The models and the migrated schema

# What a forgotten migration, or one that was written by hand, could leave.
DIFFERENCES = {
    'a missing table':
    'DROP TABLE images',
    'a table too many':
    'CREATE TABLE stray (id integer)',
    'a missing column':
    'ALTER TABLE users DROP COLUMN location',
    'a column too many':
    'ALTER TABLE users ADD COLUMN stray integer',
    'another type':
    'ALTER TABLE images ALTER COLUMN digest TYPE varchar(10)',
    'times without a zone':
    'ALTER TABLE images ALTER COLUMN created_at TYPE timestamp',
    'a column that may be empty':
    'ALTER TABLE accounts ALTER COLUMN email DROP NOT NULL',
    'a default':
    "ALTER TABLE users ALTER COLUMN location SET DEFAULT ''",
    'another identity':
    'ALTER TABLE users ALTER COLUMN id SET GENERATED BY DEFAULT',
    'a missing unique constraint':
    'ALTER TABLE accounts DROP CONSTRAINT uq_accounts_email',
    'a missing index':
    'DROP INDEX ix_projects_user_id_id',
    'an index too many':
    'CREATE INDEX stray ON projects (title)',
    'an index in another order':
    'DROP INDEX ix_projects_user_id_id; CREATE INDEX ix_projects_user_id_id ON projects (id, user_id)',
    'an index of another expression':
    'DROP INDEX uq_users_username_lower; CREATE UNIQUE INDEX uq_users_username_lower ON users (username)',
    'a missing foreign key':
    'ALTER TABLE projects DROP CONSTRAINT fk_projects_user_id_users',
    'a foreign key without cascade':
    'ALTER TABLE projects DROP CONSTRAINT fk_projects_user_id_users; '
    'ALTER TABLE projects ADD CONSTRAINT fk_projects_user_id_users '
    'FOREIGN KEY (user_id) REFERENCES users (id)',
}
# What only the server's own words show.
UNSEEN_BY_ALEMBIC = {
    'an index that is no longer unique':
    'DROP INDEX uq_users_username_lower; CREATE INDEX uq_users_username_lower ON users (lower(username))',
    'an index of all rows':
    'DROP INDEX ix_outbox_due_at_pending; CREATE INDEX ix_outbox_due_at_pending ON outbox (due_at)',
    'another condition': 'DROP INDEX ix_outbox_due_at_pending; '
    "CREATE INDEX ix_outbox_due_at_pending ON outbox (due_at) WHERE status = 'failed'",
    'another name': 'ALTER TABLE accounts RENAME CONSTRAINT pk_accounts TO stray',
    'a check': "ALTER TABLE accounts ADD CONSTRAINT ck_accounts_email CHECK (email <> '')",
    'a type': "CREATE TYPE stray AS ENUM ('a')",
    'a function': 'CREATE FUNCTION stray() RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$',
}


def test_alembic_sees_no_difference(connection: Connection) -> None:
    assert not differences(connection)


def test_the_server_sees_no_difference(connection: Connection, empty: Engine) -> None:
    map_entities()
    metadata.create_all(empty)

    migrated, made = schema_in(connection), schema_of(empty)

    for kind in _OF_MIGRATIONS:
        assert migrated.pop(kind) and not made.pop(kind)
    assert migrated == made


def test_changes_of_every_public_table_are_notified_by_its_trigger_or_by_a_cascade(
    connection: Connection
) -> None:
    map_entities()
    with_trigger = rows(
        connection, "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'tell_public_data'"
    )

    # Deleting an account deletes its user.
    assert {name
            for name, in with_trigger} | {'accounts'} == {
                table.name
                for table in metadata.tables.values() if is_public(table)
            }


@pytest.mark.parametrize('statement', DIFFERENCES.values(), ids=DIFFERENCES)
def test_both_comparisons_would_notice(connection: Connection, statement: str) -> None:
    before = schema_in(connection)

    connection.execute(text(statement))

    assert differences(connection)
    assert schema_in(connection) != before


@pytest.mark.parametrize('statement', UNSEEN_BY_ALEMBIC.values(), ids=UNSEEN_BY_ALEMBIC)
def test_the_servers_comparison_would_notice(connection: Connection, statement: str) -> None:
    before = schema_in(connection)

    connection.execute(text(statement))

    assert schema_in(connection) != before


# What a developer's next migration looks like


def copy_of_migrations(folder: Path) -> Path:
    """So that no new revision is written into the project. Returns the path of its alembic.ini."""
    shutil.copytree(MIGRATIONS_FOLDER, folder / 'migrations', ignore=shutil.ignore_patterns('__pycache__'))
    for name in ('alembic.ini', 'setup.cfg'):
        shutil.copy(PROJECT_FOLDER / name, folder / name)
    return folder / 'alembic.ini'


def the_new_one(ini: Path) -> Path:
    new, = (ini.parent / 'migrations' / 'versions').glob('*_the_next.py')
    return new


def body_of(migration: Path, function: str) -> list[str]:
    tree = ast.parse(migration.read_text(encoding='utf-8'))
    found, = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function)
    return [ast.unparse(statement) for statement in found.body]


def test_without_a_change_the_next_migration_is_empty(migrated: Engine, tmp_path: Path) -> None:
    ini = copy_of_migrations(tmp_path)

    output_of(alembic(migrated, '-c', str(ini), 'revision', '--autogenerate', '-m', 'the next'))

    migration = the_new_one(ini)
    assert re.fullmatch(r'\d{8}_the_next\.py', migration.name)
    assert body_of(migration, 'upgrade') == body_of(migration, 'downgrade') == ['pass']
    assert f"down_revision: str | None = '{HEAD}'" in migration.read_text(encoding='utf-8')


@dataclass(frozen=True, kw_only=True)
class Next:
    """A migration that was made because two tables are lacking."""

    file: Path
    engine: Engine
    config: Config
    right: dict[str, set[tuple[Any, ...]]]


@pytest.fixture(name='next_one', scope='module')
def fixture_next_one(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Next]:
    ini = copy_of_migrations(tmp_path_factory.mktemp('next'))
    with copied_database(postgres_url) as engine:
        right = schema_of(engine)
        do(engine, 'DROP TABLE images, outbox')
        config = config_for(engine, ini)
        command.revision(config, 'the next', autogenerate=True)
        yield Next(file=the_new_one(ini), engine=engine, config=config, right=right)


def test_with_a_change_the_next_migration_makes_it_and_takes_it_back(next_one: Next) -> None:
    lacking = schema_of(next_one.engine)

    command.upgrade(next_one.config, 'head')
    up = schema_of(next_one.engine)
    command.downgrade(next_one.config, HEAD)

    assert up == next_one.right
    assert schema_of(next_one.engine) == lacking


def test_the_next_migration_does_not_depend_on_the_code(next_one: Next) -> None:
    """It must mean the same when the code has changed."""
    assert 'talelio_backend' not in next_one.file.read_text(encoding='utf-8')


@pytest.mark.parametrize('tool', [('yapf', '--diff'), ('isort', '--check-only')], ids=['yapf', 'isort'])
def test_the_next_migration_is_in_the_projects_format(next_one: Next, tool: tuple[str, str]) -> None:
    check = [sys.executable, '-m', *tool, str(next_one.file)]

    assert subprocess.run(check, cwd=PROJECT_FOLDER, check=False, timeout=PATIENCE).returncode == 0


# Names and indexes


def test_every_foreign_key_has_an_index(connection: Connection) -> None:
    """Without one, a cascading delete reads the whole table."""
    keys = rows(
        connection, """
        SELECT conname, EXISTS (
            SELECT FROM pg_index WHERE indrelid = conrelid AND indpred IS NULL
                AND (indkey::int2[])[0:cardinality(conkey) - 1] = conkey
        )
        FROM pg_constraint WHERE contype = 'f'
    """
    )

    assert len(keys) >= 2
    assert [name for name, has_index in keys if not has_index] == []


def test_every_name_follows_the_convention(connection: Connection) -> None:
    """As orm.py has it. Those of NOT NULL are the server's own, and a trigger's is its name."""
    constraints = rows(
        connection, """
        SELECT conname, contype::text, conrelid::regclass::text, coalesce(confrelid::regclass::text, ''),
            (SELECT string_agg(attname, '_' ORDER BY place)
             FROM unnest(conkey) WITH ORDINALITY AS key (number, place)
             JOIN pg_attribute ON attrelid = conrelid AND attnum = number)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            AND contype NOT IN ('n', 't') AND conrelid <> 'alembic_version'::regclass
    """
    )

    assert {kind for _, kind, *_ in constraints} >= {'p', 'f', 'u'}
    for name, kind, table, other, columns in constraints:
        expected = {
            'p': f'pk_{table}',
            'f': f'fk_{table}_{columns}_{other}',
            'u': f'uq_{table}_{columns}',
        }
        assert name == expected[kind] if kind in expected else name.startswith(f'ck_{table}_')


def test_every_index_is_named_for_its_table(connection: Connection) -> None:
    indexes = rows(
        connection, """
        SELECT relname, indrelid::regclass::text, indisprimary, indisunique
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE relnamespace = 'public'::regnamespace AND indrelid <> 'alembic_version'::regclass
    """
    )

    assert len(indexes) >= 8
    for name, table, primary, unique in indexes:
        kind = 'pk' if primary else 'uq' if unique else 'ix'
        assert name.startswith(f'{kind}_{table}')


def test_every_time_has_a_zone(connection: Connection) -> None:
    times = {row[2] for row in schema_in(connection)['columns'] if row[2].startswith('time')}

    assert times == {'timestamp with time zone'}


def test_a_database_that_was_just_migrated_knows_nobody(empty: Engine) -> None:
    command.upgrade(config_for(empty), 'head')

    for table in ('accounts', 'users', 'whitelist', 'sessions'):
        with empty.connect() as connection:
            assert connection.execute(text(f'SELECT count(*) FROM {table}')).scalar_one() == 0
