"""A database as its administrator sees it: past the API, on a connection of the test's own."""
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection
from sqlalchemy import make_url

_numbers = count(1)


def connect(url: str, *, autocommit: bool = True, database: str | None = None) -> connection:
    """Take SQLAlchemy's form of a URL."""
    parts = make_url(url)
    connected: connection = psycopg2.connect(
        host=parts.host,
        port=parts.port,
        user=parts.username,
        password=parts.password,
        dbname=database or parts.database,
    )
    connected.autocommit = autocommit
    return connected


@contextmanager
def copy_of(url: str) -> Iterator[str]:
    """Make a copy of the database for a while. Nobody may be connected to the original meanwhile."""
    parts = make_url(url)
    # Another suite may use the same server.
    name = f'copy_{os.getpid()}_{next(_numbers)}'
    names = sql.Identifier(name), sql.Identifier(parts.database or '')
    with closing(connect(url, database='postgres')) as server, server.cursor() as cursor:
        # Half the work of PostgreSQL's default, which writes each page to its log.
        cursor.execute(sql.SQL('CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY').format(*names))
        try:
            yield parts.set(database=name).render_as_string(hide_password=False)
        finally:
            cursor.execute(sql.SQL('DROP DATABASE {} WITH (FORCE)').format(names[0]))


def execute(to: connection, statement: str, *parameters: Any) -> int:
    """Return how many rows it was about."""
    with to.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


def select_one(of: connection, query: str, *parameters: Any) -> Any:
    """The first column of the only row."""
    with of.cursor() as cursor:
        cursor.execute(query, parameters)
        row, = cursor.fetchall()
        return row[0]
