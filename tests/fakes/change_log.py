from datetime import UTC, datetime

from talelio_backend.app_feed.business.ports import Change, ChangeBatch
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus
from tests.fakes.store import ChangeRow, Store

HISTORY = '0123abcd'


def record(store: Store, before: Project | None, after: Project | None) -> None:
    """What the trigger does at a commit."""
    project = after or before
    assert project is not None
    now = datetime.now(UTC)
    row = store.changes.get(project.id)
    was_public = before is not None and before.is_public(now) or row is not None and not row.removed
    is_published = after is not None and after.status is ProjectStatus.PUBLISHED
    public_from = after.published_at if after is not None and is_published else None
    if was_public or public_from is not None and public_from <= now:
        row = store.changes[project.id] = ChangeRow(user_id=project.user_id, changed_at=now)
        row.number = next(store.change_numbers)
        row.removed = public_from is None or public_from > now
        row.due_at = public_from if row.removed else None
    elif public_from is not None:
        row = store.changes.setdefault(project.id, ChangeRow(user_id=project.user_id, changed_at=now))
        row.due_at = public_from
    elif row is not None:
        row.due_at = None
        if row.number is None:
            del store.changes[project.id]


class FakeChangeLog:

    def __init__(self, store: Store) -> None:
        self._store = store

    def history(self) -> str:
        return HISTORY

    def settle(self, now: datetime, *, purge_before: datetime) -> bool:
        rows = self._store.changes.items()
        due = [row for _, row in rows if row.due_at is not None and row.due_at <= now]
        for row in due:
            row.number, row.changed_at = next(self._store.change_numbers), datetime.now(UTC)
            row.removed, row.due_at = False, None
        forgotten = [
            key for key, row in rows if row.removed and row.due_at is None and row.changed_at < purge_before
        ]
        for key in forgotten:
            del self._store.changes[key]
        return bool(due or forgotten)

    def after(self, number: int, limit: int) -> ChangeBatch:
        changes = [
            Change(
                number=row.number,
                project_id=key,
                project=None if row.removed else self._store.projects[key],
            ) for key, row in self._store.changes.items() if row.number is not None and row.number > number
        ]
        changes.sort(key=lambda change: change.number)
        return ChangeBatch(changes=changes[:limit], has_more=len(changes) > limit)

    def changed_at(self, user_id: int | None) -> datetime | None:
        rows = [row for row in self._store.changes.values() if user_id in (None, row.user_id)]
        return max((row.changed_at for row in rows if row.number is not None), default=None)
