"""Lets clients, such as static sites, keep a copy of all public projects up to date."""
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from talelio_backend.app_feed.business.errors import CursorGone, InvalidCursor
from talelio_backend.app_feed.business.ports import Change, ChangeUnitOfWork

# The first character is the version of the format.
_FORMAT = re.compile(r'1\.(?P<history>[0-9a-f]{8})\.(?P<number>0|[1-9][0-9]{0,17})\.(?P<day>[1-9][0-9]{0,6})')
CURSOR_LENGTH = 64


@dataclass(frozen=True, kw_only=True)
class Cursor:
    # Identifies the database history that the number belongs to.
    history: str
    # The number of the last change that was delivered; 0 before the first.
    number: int
    # The last day on which the client was up to date.
    complete_on: date

    def __str__(self) -> str:
        plain = f'1.{self.history}.{self.number}.{self.complete_on.toordinal()}'
        return urlsafe_b64encode(plain.encode()).decode().rstrip('=')

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidCursor."""
        try:
            if len(text) > CURSOR_LENGTH:
                raise ValueError
            plain = urlsafe_b64decode(text + '=' * (-len(text) % 4)).decode('ascii')
            match = _FORMAT.fullmatch(plain)
            if match is None:
                raise ValueError
            cursor = cls(
                history=match['history'],
                number=int(match['number']),
                complete_on=date.fromordinal(int(match['day'])),
            )
        except ValueError:
            raise InvalidCursor() from None
        # The decoder ignores unknown characters; accept only the canonical form.
        if str(cursor) != text:
            raise InvalidCursor()
        return cursor


# How long a cursor is valid after its client was up to date.
CURSOR_LIFE = timedelta(days=90)
# Longer than a cursor's life, with a margin for rounding to days and for clock skew.
REMOVAL_LIFE = timedelta(days=100)


@dataclass(frozen=True, kw_only=True)
class ChangePage:
    changes: Sequence[Change]
    next: Cursor
    has_more: bool


def follow(uow: ChangeUnitOfWork, since: str | None, limit: int, now: datetime) -> ChangePage:
    """Return the changes after `since`, or all from the beginning.

    Raises InvalidCursor or CursorGone.
    """
    given = None if since is None else Cursor.parse(since)
    with uow:
        history = uow.changes.history()
        cursor = given or Cursor(history=history, number=0, complete_on=now.date())
        if cursor.history != history or cursor.complete_on < (now - CURSOR_LIFE).date():
            raise CursorGone()
        if uow.changes.settle(now, purge_before=now - REMOVAL_LIFE):
            uow.commit()
        batch = uow.changes.after(cursor.number, limit)
    return ChangePage(
        changes=batch.changes,
        next=Cursor(
            history=history,
            number=batch.changes[-1].number if batch.changes else cursor.number,
            # Keep the day until the client is up to date: it needs all removals since then.
            complete_on=cursor.complete_on if batch.has_more else now.date(),
        ),
        has_more=batch.has_more,
    )
