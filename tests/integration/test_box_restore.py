"""A backup of what the real service made, restored with the very commands of the owner's guide."""
import os
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest
from psycopg2 import OperationalError
from psycopg2.extensions import connection
from sqlalchemy import make_url

from tests.support.answers import ok
from tests.support.box import BackupService, guide_block, postgres_programs, run_as_owner
from tests.support.database import connect, execute
from tests.support.members import WHITELIST, Member, join, log_in, new_person, publish, register
from tests.support.migrated_cluster import MigratedCluster
from tests.support.own_postgres import own_postgres
from tests.support.served_api import ServedApi
from tests.support.sockets import closed_port
from tests.support.uploads import AVATAR, list_images, new_picture, path_of, send, upload

# What makes up a database, beside its rows; each query's result is to be the same.
SHAPE = {
    'columns':
    '''SELECT table_name, column_name, data_type, is_nullable, is_identity, column_default, collation_name
           FROM information_schema.columns WHERE table_schema = 'public'
           ORDER BY table_name, ordinal_position''',
    'constraints':
    '''SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated
           FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2''',
    'indexes':
    '''SELECT indexdef, indisvalid FROM pg_indexes JOIN pg_index ON indexrelid = indexname::regclass
           WHERE schemaname = 'public' ORDER BY 1''',
    'sequences':
    '''SELECT sequencename, last_value, data_type::text, increment_by, cycle
           FROM pg_sequences ORDER BY 1''',
    'owners':
    '''SELECT relname, pg_get_userbyid(relowner) FROM pg_class
           WHERE relnamespace = 'public'::regnamespace ORDER BY 1''',
    'database':
    '''SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database
           WHERE datname = current_database()''',
}


@pytest.fixture(name='box_url')
def fixture_box_url(tmp_path: Path, migrated_cluster: MigratedCluster) -> Iterator[str]:
    """A server of its own, since its database is renamed; with the name and the user that the box's has."""
    with own_postgres(tmp_path / 'postgres', migrated_cluster) as server:
        url = make_url(server.direct_url)
        assert (url.username, url.database) == ('talelio', 'talelio')
        yield server.direct_url


def rows(database: connection, query: str) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def everything(database: connection) -> dict[str, list[tuple[Any, ...]]]:
    tables = [name for name, in rows(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return {
        what: rows(database, query)
        for what, query in SHAPE.items()
    } | {
        # As text, which shows every bit of a value.
        f'rows of {table}': rows(database, f'SELECT t::text FROM {table} t ORDER BY 1')
        for table in tables
    }


def fill(api: ServedApi) -> tuple[Member, bytes, str]:
    """Leave something in every table; return somebody with a picture."""
    members = [join(api) for _ in range(3)]
    for number, member in enumerate(members):
        publish(
            api, member, f'Title {number} “…” \\N',
            'Text\t\r\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n☃ \U0001f33b'
        )
    maker = members[0]
    image, = upload(api, maker, new_picture((800, 600)))
    ok(send(api, maker, new_picture(), path=AVATAR, method='PUT'))
    # Nobody opens this link, and no mail server takes the mail.
    register(api, new_person())
    return maker, api.get(path_of(image['url'])).content, image['url']


def test_what_was_backed_up_is_restored(tmp_path: Path, box_url: str) -> None:
    service = BackupService(tmp_path, box_url)
    with closed_port() as port:
        environ = {
            'SMTP_URL': f'smtp://127.0.0.1:{port}',
            'WHITELISTED_EMAILS': ','.join(WHITELIST),
            'IMAGE_FOLDER': str(service.images),
        }
        with ServedApi(tmp_path, box_url, environ) as api:
            maker, picture, url = fill(api)
    backup = service.back_up()
    with closing(connect(box_url)) as database:
        before = everything(database)
        # So that nothing is there by chance.
        execute(database, 'TRUNCATE accounts, outbox CASCADE')

    restored_images = tmp_path / 'restored'
    restored_images.mkdir()
    environ['IMAGE_FOLDER'] = str(restored_images)
    api = ServedApi(tmp_path, box_url, environ)
    calls, output = restore(backup, service, api)

    assert [call.split()[1] for call in calls] == ['stop', 'exec', 'exec', 'exec', 'run', 'up', 'exec']
    assert 'Would free 0.0 MB in 0 files' in output
    assert 'Missing' not in output
    with closing(connect(box_url)) as database:
        after = everything(database)
    assert after == before
    assert all(before[f'rows of {table}'] for table in ('accounts', 'users', 'projects', 'images', 'outbox'))
    with closing(connect(box_url, database='talelio_before')) as database:
        assert rows(database, 'SELECT count(*) FROM accounts') == [(0, )]
    with api:
        assert api.get(path_of(url)).content == picture
        assert api.get('/v1/users/me', headers=maker.bearer).status_code == HTTPStatus.OK
        log_in(api, maker.person)
        assert len(list_images(api, maker)) == 1
        assert api.post('/v1/accounts/register', maker.person.registration).status_code == \
            HTTPStatus.BAD_REQUEST
        newcomer = join(api)
        assert publish(api, newcomer, 'New', 'body')['id'] > len(before['rows of projects'])
        upload(api, newcomer, new_picture())


def restore(backup: Path, service: BackupService, api: ServedApi) -> tuple[list[str], str]:
    """Return what Docker was told to do, and what the commands printed."""
    commands, replaced = re.subn(
        r'^FROM=/var/backups/talelio/2026-11-24T03-00-12Z$',
        f"FROM='{backup}'",
        guide_block('<!-- restore: '),
        flags=re.MULTILINE
    )
    assert replaced == 1
    folder = backup.parent.parent / 'owner'
    folder.mkdir()
    url = make_url(service.environ['DATABASE_URL'])
    programs = f'{Path(sys.executable).parent}:{service.environ["PATH"]}'
    environ = {
        **api.environ,
        # Which server it is says the container that a command is run in, and nothing more.
        'PGHOST':
        url.host or '',
        'PGPORT':
        str(url.port),
        'PGPASSWORD':
        url.password or '',
        'PATH':
        f'{programs}:{os.environ["PATH"]}',
        'RESTORED_IMAGES':
        api.environ['IMAGE_FOLDER'],
    }
    try:
        calls = run_as_owner(commands, folder, environ)
    finally:
        print((folder / 'output').read_text(encoding='utf-8'))
    return calls, (folder / 'output').read_text(encoding='utf-8')


def test_a_dump_that_is_broken_changes_nothing(tmp_path: Path, box_url: str) -> None:
    service = BackupService(tmp_path, box_url)
    with closing(connect(box_url)) as database:
        execute(
            database,
            '''INSERT INTO outbox (message_id, kind, payload, status, created_at, due_at, tries, trying_since)
            SELECT gen_random_uuid(), 'note', jsonb_build_object('text', gen_random_uuid()), 'pending',
                now(), now(), 0, now() FROM generate_series(1, 2000)'''
        )
        before = everything(database)
    backup = service.back_up()
    dump = backup / 'talelio.dump'
    os.truncate(dump, dump.stat().st_size * 3 // 4)

    with pytest.raises(CalledProcessError):
        restore(backup, service, ServedApi(tmp_path, box_url))

    with closing(connect(box_url)) as database:
        assert everything(database) == before


def test_the_password_of_the_database_is_changed(tmp_path: Path, box_url: str) -> None:
    url = make_url(box_url)
    folder = tmp_path / 'owner'
    folder.mkdir()
    (folder /
     '.env').write_text('API_HOST=api.test\nPOSTGRES_PASSWORD=old\nSECRET_KEY=secret\n', encoding='ascii')
    environ = {
        'PATH': f'{postgres_programs()}:{os.environ["PATH"]}',
        'PGHOST': url.host or '',
        'PGPORT': str(url.port),
        'PGPASSWORD': url.password or '',
        'RESTORED_IMAGES': '',
    }

    calls = run_as_owner(guide_block('<!-- password: '), folder, environ)

    assert [call.split()[1] for call in calls] == ['exec', 'up']
    first, line, last = (folder / '.env').read_text(encoding='ascii').splitlines()
    assert (first, last) == ('API_HOST=api.test', 'SECRET_KEY=secret')
    new = url.set(password=line.removeprefix('POSTGRES_PASSWORD='))
    connect(new.render_as_string(hide_password=False)).close()
    with pytest.raises(OperationalError, match='password authentication failed'):
        connect(box_url)
