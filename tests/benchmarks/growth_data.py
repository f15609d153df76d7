"""A database in which somebody has many projects among many more, or a handful and nobody else has any.

All go through the table's own triggers, so that counts, changes and indexes are what they would be.
"""
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg2
from alembic import command
from alembic.config import Config
from sqlalchemy import make_url

from talelio_backend.settings import PROJECT_FOLDER

OWNER = 'prolific'
# Of the owner's projects so many, evenly spread, have the tag and the word.
FOUND = 10
TAG, WORD = 'rare', 'chair'

_OTHERS = 9000
_BATCH = 50_000  # rows of a statement, and of a transaction
_LOADERS = 2

_PEOPLE = """
    WITH people AS (
        INSERT INTO accounts (email, password_hash, verified, created_at, link_serial, link_requested_at)
        SELECT name || '@example.com', '', true, now(), 1, now() FROM unnest(%(names)s::text[]) AS name RETURNING id, email
    )
    INSERT INTO users (account_id, created_at, username, location)
    SELECT id, now(), split_part(email, '@', 1), '' FROM people
"""
# The owner's are all over the table, as if everybody had published day by day.
_PROJECTS = """
    INSERT INTO projects (
        user_id, created_at, published_at, updated_at, title, slug, body, html, tags, excerpt, toc, words, position
    )
    SELECT
        CASE WHEN is_own THEN %(owner)s ELSE %(others)s + n %% %(people)s END, at, at,
        CASE WHEN n %% 3 = 0 THEN at + interval '30 s' END,
        'Title ' || lpad((n::bigint * 7919 %% 1000003)::text, 7, '0'), 'slug-' || n,
        'word' || n || ' a ' || CASE WHEN is_found THEN %(word)s ELSE 'table' END, '<p>word' || n || '</p>',
        ARRAY[CASE WHEN is_found THEN %(tag)s ELSE 'tag-' || n %% 500 END], 'word' || n, '[]', 3, n %% 50
    FROM (
        SELECT n, now() - n * interval '1 min' AS at, n %% %(every)s = 0 AS is_own,
            n %% (%(every)s * %(spread)s) = 0 AS is_found
        FROM generate_series(%(first)s, %(last)s) AS n
    ) AS numbers
"""
# The owner's, as many as are found, evenly spread.
_SOME = """
    SELECT id, slug FROM (
        SELECT id, slug, row_number() OVER (ORDER BY id) AS n FROM projects WHERE user_id = %(owner)s
    ) AS numbered WHERE n %% %(spread)s = 0
"""


@dataclass(frozen=True)
class Size:
    """A multiple of FOUND that the owner has, among a multiple of that."""

    own: int
    of: int

    def __str__(self) -> str:
        return f'{self.own:,} of {self.of:,}'


@dataclass(frozen=True, kw_only=True)
class Data:
    url: str
    owner: int
    # Ids and slugs.
    some: list[tuple[int, str]]

    def place(self, value: str, down: bool, part: float) -> tuple[Any, int]:
        """The value and the id that come after so large a part of the owner's list."""
        way = 'DESC' if down else 'ASC'
        query = f"""
            SELECT {value}, id FROM projects WHERE user_id = %(owner)s ORDER BY {value} {way}, id {way}
            LIMIT 1 OFFSET (SELECT count(*) FROM projects WHERE user_id = %(owner)s) * %(part)s - 1
        """
        (row, ) = _run(self.url, query, owner=self.owner, part=part)
        return row[0], row[1]


def load(url: str, name: str, size: Size, notify: Callable[[str], None]) -> Data:
    """In a database of that name beside the one of `url`."""
    _run(url, f'CREATE DATABASE {name}')
    own = make_url(url).set(database=name).render_as_string(hide_password=False)
    config = Config(PROJECT_FOLDER / 'alembic.ini')
    config.attributes['database_url'] = own
    command.upgrade(config, 'head')
    people = min(_OTHERS, size.of - size.own)
    _run(own, _PEOPLE, names=[OWNER])
    _run(own, _PEOPLE, names=[f'other-{number}' for number in range(people)])
    (owner, others), = _run(
        own, 'SELECT min(id) FILTER (WHERE username = %(name)s), '
        'min(id) FILTER (WHERE username <> %(name)s) FROM users', name=OWNER
    )  # yapf: disable
    spread = size.own // FOUND
    known = {
        'owner': owner,
        'others': others,
        'people': people or 1,
        'every': size.of // size.own,
        'spread': spread,
        'word': WORD,
        'tag': TAG,
    }

    def add(first: int) -> None:
        _run(own, _PROJECTS, **known, first=first, last=min(first + _BATCH - 1, size.of))
        notify(f'loaded {min(first + _BATCH - 1, size.of):,} projects')

    with ThreadPoolExecutor(_LOADERS) as loaders:
        list(loaders.map(add, range(1, size.of + 1, _BATCH)))
    # As autovacuum does in time.
    _run(own, 'VACUUM ANALYZE')
    return Data(url=own, owner=owner, some=_run(own, _SOME, owner=owner, spread=spread))


def _run(url: str, statement: str, **values: Any) -> list[Any]:
    with closing(psycopg2.connect(url.replace('+psycopg2', ''))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []
