"""Tags each SQL statement with its request, for `pg_stat_activity` and the server's log.

The format is sqlcommenter's (https://google.github.io/sqlcommenter/spec/), but the comment comes first:
`pg_stat_activity` truncates long statements at the end (`track_activity_query_size`, 1 kB).
"""
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, event

# Trusted keys in alphabetical order, and untrusted values.
Tags = Iterable[tuple[str, str]]


def add_comments(engine: Engine, tags: Callable[[], Tags]) -> None:
    """`tags` returns the current tags; without any there is no comment."""

    @event.listens_for(engine, 'before_cursor_execute', retval=True)
    def comment(
        _connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> tuple[str, Any]:
        return comment_of(tags()) + statement, parameters


def comment_of(tags: Tags) -> str:
    """Return the comment with a trailing space, or nothing for no tags."""
    written = ','.join([f"{key}='{_encoded(value)}'" for key, value in tags])
    return f'/*{written}*/ ' if written else ''


# A request sends several statements, and there are few routes.
@lru_cache(maxsize=1024)
def _encoded(value: str) -> str:
    """Percent-encode quotes and the end of a comment; double the percent signs for the driver."""
    return quote(value, safe='').replace('%', '%%')
