"""How a copy of what is public, such as a static site, is kept in step."""
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from talelio_backend.app_feed.business.cursor import Cursor
from talelio_backend.app_feed.business.errors import CursorGone
from talelio_backend.app_feed.business.ports import Change, ChangeUnitOfWork

# How long after a follower had everything its cursor is good.
CURSOR_LIFE = timedelta(days=90)
# Longer, by more than a day's rounding and clocks that differ.
REMOVAL_LIFE = timedelta(days=100)


@dataclass(frozen=True, kw_only=True)
class ChangePage:
    changes: Sequence[Change]
    next: Cursor
    has_more: bool


def follow(uow: ChangeUnitOfWork, since: str | None, limit: int, now: datetime) -> ChangePage:
    """Return what there is to tell after `since`, or from the beginning on.

    Raises InvalidCursor or CursorGone.
    """
    given = None if since is None else Cursor.parse(since)
    with uow:
        history = uow.changes.history()
        cursor = given or Cursor(history=history, number=0, complete_on=now.date())
        if cursor.history != history or cursor.complete_on < (now - CURSOR_LIFE).date():
            raise CursorGone()
        if uow.changes.settle(now, forget_before=now - REMOVAL_LIFE):
            uow.commit()
        stretch = uow.changes.after(cursor.number, limit)
    return ChangePage(
        changes=stretch.changes,
        next=Cursor(
            history=history,
            number=stretch.changes[-1].number if stretch.changes else cursor.number,
            # On the way it stays: what was removed since then must not be forgotten.
            complete_on=cursor.complete_on if stretch.has_more else now.date(),
        ),
        has_more=stretch.has_more,
    )
