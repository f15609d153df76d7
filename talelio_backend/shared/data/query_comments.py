"""Says in each statement which request it is for, where the server's own views and logs show it.

The form is sqlcommenter's: https://google.github.io/sqlcommenter/spec/. It wants the comment at the end,
where `pg_stat_activity` cuts off what is long (`track_activity_query_size`, 1 kB), so here it stands first.
"""
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, event

# Keys, which are ours and in alphabetical order, and values, which may be anybody's.
Tags = Iterable[tuple[str, str]]


def add_comments(engine: Engine, tags: Callable[[], Tags]) -> None:
    """`tags` tells what is so at the moment; nothing for no comment."""

    @event.listens_for(engine, 'before_cursor_execute', retval=True)
    def comment(
        _connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> tuple[str, Any]:
        # What was compiled and kept for the next time stays as it is.
        return comment_of(tags()) + statement, parameters


def comment_of(tags: Tags) -> str:
    """With a space behind it; empty for no tags."""
    written = ','.join([f"{key}='{_encoded(value)}'" for key, value in tags])
    return f'/*{written}*/ ' if written else ''


# Of a request there are several statements, and of routes there are few.
@lru_cache(maxsize=1024)
def _encoded(value: str) -> str:
    """Letters, digits, `_.-~` and %XX: neither a quote nor the end of a comment can be among them.

    The driver takes a percent sign for the beginning of a parameter, unless there are two.
    """
    return quote(value, safe='').replace('%', '%%')
