"""A write that a test can send, again and from many threads, and what is left of it in the database."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import connection
from requests import Response

from tests.support.members import Member
from tests.support.served_api import ServedApi

# The least and the most.
Bounds = tuple[int, int]
# How often each status comes among so many at once; the numbers add up to all of them.
Answers = Mapping[int, Bounds]

AT_ONCE = 16
Traces = tuple[object, ...]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    send: Callable[[], Response]
    success: int
    # Of one row, whose columns are what the write makes or changes.
    query: str
    values: Mapping[str, Any]
    # That row after so many successes.
    after: Callable[[int], Traces]
    # What is heard when another one, just like it, came first.
    late: frozenset[int]
    # Of AT_ONCE of them.
    answers: Answers
    # What else a second one hears when the first one was broken off.
    unsure: frozenset[int] = frozenset()

    def traces(self, database: connection) -> Traces:
        with database.cursor() as cursor:
            cursor.execute(self.query, self.values)
            row, = cursor.fetchall()
            return tuple(row)


# Makes all that the write needs.
Prepare = Callable[[ServedApi], Attempt]


def one_wins(success: int, *late: int) -> Answers:
    """Only one succeeds. 503 among the late ones stands for too many who want the same costly step."""
    return {success: (1, 1), **{status: (0, AT_ONCE - 1) for status in late}}


def all_win(success: int) -> Answers:
    return {success: (AT_ONCE, AT_ONCE)}


def some_win(success: int, *others: int) -> Answers:
    """At least one succeeds; the others may have to come again."""
    return {success: (1, AT_ONCE), **{status: (0, AT_ONCE - 1) for status in others}}


def once(undone: Traces, done: Traces) -> Callable[[int], Traces]:
    """However many succeed, it is done once."""
    return lambda successes: done if successes else undone


def ids_of(member: Member) -> dict[str, Any]:
    return {'account': member.account['id'], 'user': member.account['user']['id']}


EVENTS = '(SELECT count(*) FROM security_events WHERE account_id = %(account)s AND kind = {!r})'
MAILS = "(SELECT count(*) FROM outbox WHERE payload->'account_id' = to_jsonb(%(account)s) AND kind = {!r})"
