"""Lets clients, such as static sites, keep a copy of all public projects up to date."""
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from talelio_backend.app_feed.business.cursor import Cursor
from talelio_backend.app_feed.business.errors import CursorGone
from talelio_backend.app_feed.business.ports import Change, ChangeUnitOfWork

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
