from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Protocol, TypeVar

from talelio_backend.app_account.business.domain.account import Account, EmailChange, WhitelistEntry
from talelio_backend.app_account.business.domain.session import Session
from talelio_backend.app_asset.business.image import Image
from talelio_backend.app_project.business.domain.project import Project
from talelio_backend.app_project.business.domain.revision import Revision
from talelio_backend.shared.audit.business.audit_trail import SecurityEvent
from talelio_backend.shared.business.pagination import Page, PageRequest
from talelio_backend.shared.idempotency.business.claims import IdempotencyClaim
from talelio_backend.shared.mail.business.outbox import OutboxMail
from talelio_backend.shared.rate_limits.business.limits import Counter


class Row(Protocol):
    id: int


RowT = TypeVar('RowT', bound=Row)


@dataclass(kw_only=True)
class OldSlug:
    project_id: int
    retired_at: datetime


@dataclass(kw_only=True)
class ChangeRow:
    user_id: int
    number: int | None = None
    changed_at: datetime
    removed: bool = True
    due_at: datetime | None = None


@dataclass
class Store:
    """What is committed, by id. A unit of work changes copies and puts them back on commit."""

    accounts: dict[int, Account] = field(default_factory=dict)
    sessions: dict[int, Session] = field(default_factory=dict)
    email_changes: dict[int, EmailChange] = field(default_factory=dict)
    projects: dict[int, Project] = field(default_factory=dict)
    # By user id and slug.
    old_slugs: dict[tuple[int, str], OldSlug] = field(default_factory=dict)
    # By project id and number.
    revisions: dict[tuple[int, int], Revision] = field(default_factory=dict)
    images: dict[int, Image] = field(default_factory=dict)
    outbox: dict[int, OutboxMail] = field(default_factory=dict)
    idempotency_claims: dict[int, IdempotencyClaim] = field(default_factory=dict)
    events: dict[int, SecurityEvent] = field(default_factory=dict)
    whitelist: dict[int, WhitelistEntry] = field(default_factory=dict)
    # By policy and key.
    counters: dict[tuple[str, str], Counter] = field(default_factory=dict)
    # By project id. Written at a commit, by itself.
    changes: dict[int, ChangeRow] = field(default_factory=dict)
    change_numbers: Iterator[int] = field(default_factory=lambda: count(1))
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def tables(self) -> tuple[dict[Any, Any], ...]:
        return (
            self.accounts, self.sessions, self.email_changes, self.projects, self.old_slugs, self.revisions,
            self.images, self.outbox, self.idempotency_claims, self.events, self.whitelist, self.counters
        )

    def forget_revisions(self, project_id: int) -> None:
        for key in [key for key in self.revisions if key[0] == project_id]:
            del self.revisions[key]


def newest_first(rows: list[RowT], page: PageRequest) -> Page[RowT]:
    rows = [row for row in rows if page.before is None or row.id < page.before]
    rows.sort(key=lambda row: -row.id)
    items = rows[:page.limit]
    return Page(items=items, next_before=items[-1].id if len(rows) > page.limit else None)
