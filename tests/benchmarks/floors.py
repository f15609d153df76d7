"""What the service is held against: the least that gives such an answer, with the same server and driver.

None of them checks, logs, describes or caches anything.
"""
import os
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import psycopg2
from flask import Flask, Response, request
from sqlalchemy import QueuePool, create_engine, func, select

from talelio_backend.app_project.data.project_table import project_table
from talelio_backend.app_project.data.rendering.sandboxed_renderer import (
    SandboxedMarkdownRenderer,
    markdown_worker,
)
from talelio_backend.app_user.data.user_repository import user_table

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

app = Flask('floors', static_folder=None)

# Of a worker, for each of the two pools: beside the service's own there is room for so many.
_CONNECTIONS = 8

_url = os.environ['DATABASE_URL']
_engine = create_engine(_url, pool_size=_CONNECTIONS, max_overflow=0)
_connect: Any = partial(psycopg2.connect, _url.replace('+psycopg2', ''))
_pool = QueuePool(_connect, pool_size=_CONNECTIONS, max_overflow=0)
_renderer = SandboxedMarkdownRenderer(markdown_worker())
_folder = Path(os.environ['BENCHMARK_CONSTANTS'])
_constants: dict[str, bytes] = {}
_flask = app.wsgi_app

# Of what is shown of a project.
_COLUMNS = [column for column in project_table.c if column.key not in ('search', 'rendering')]
# Of the kind that orjson takes for keys.
_NAMES = [str(column.name) for column in _COLUMNS]
_of_user = select(*_COLUMNS).join(user_table, user_table.c.id == project_table.c.user_id).where(
    project_table.c.published_at <= func.now()
)
_LIST = _of_user.order_by(project_table.c.id.desc()).limit(10)

_INSERT = '''
    INSERT INTO projects (user_id, created_at, published_at, title, slug, body, html)
    VALUES (%s, now(), now(), %s, %s, %s, %s) RETURNING id, user_id, created_at, title, slug, body, html
'''


@app.get('/health/ready')
def ready() -> Response:
    return Response(b'')


@app.get('/core/users/<username>')
def core_list(username: str) -> Response:
    with _engine.connect() as connection:
        named = func.lower(user_table.c.username) == username.lower()
        return _json([dict(zip(_NAMES, row)) for row in connection.execute(_LIST.where(named))])


@app.get('/core/projects/<int:id_>')
def core_project(id_: int) -> Response:
    with _engine.connect() as connection:
        row = connection.execute(_of_user.where(project_table.c.id == id_)).one()
        return _json(dict(zip(_NAMES, row)))


@app.post('/publish/<int:user_id>')
def publish(user_id: int) -> Response:
    """A bare INSERT into the service's own table, so with its indexes and triggers, and the rendering."""
    given = orjson.loads(request.get_data())
    html = _renderer.render(given['body'])['html']
    with closing(_pool.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute(_INSERT, (user_id, given['title'], uuid4().hex, given['body'], html))
        row = cursor.fetchone()
        connection.commit()
    assert row and cursor.description
    names = [column[0] for column in cursor.description]
    return _json(dict(zip(names, row)), 201)


def bare(environ: 'WSGIEnvironment', start_response: 'StartResponse') -> Iterable[bytes]:
    """The bytes of a response, or an empty 304, without Flask."""
    path: str = environ['PATH_INFO']
    if path == '/empty':
        start_response('304 Not Modified', [])
        return []
    if not path.startswith('/constant/'):
        return _flask(environ, start_response)
    name = path.removeprefix('/constant/')
    if name not in _constants:
        _constants[name] = (_folder / name).read_bytes()
    content = _constants[name]
    start_response('200 OK', [('Content-Type', 'application/json'), ('Content-Length', str(len(content)))])
    return [content]


app.wsgi_app = bare  # type: ignore[method-assign]


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, content_type='application/json')
