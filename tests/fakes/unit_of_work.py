from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from types import TracebackType
from typing import Self

from talelio_backend.app_account.business.account import Account
from talelio_backend.app_account.business.errors import EmailTaken
from talelio_backend.app_project.business.errors import AuthorGone
from talelio_backend.app_project.business.project import Project
from talelio_backend.app_user.business.errors import UsernameTaken
from talelio_backend.app_user.business.user import User
from talelio_backend.shared.business.outbox import MailStatus, OutboxMail
from talelio_backend.shared.business.page import Page, PageRequest


@dataclass
class Store:
    """What is committed: the rows by id. A unit of work reads copies and writes them back on commit."""

    accounts: dict[int, Account] = field(default_factory=dict)
    projects: dict[int, Project] = field(default_factory=dict)
    outbox: dict[int, OutboxMail] = field(default_factory=dict)


class FakeUnitOfWork:
    def __init__(self, store: Store | None = None) -> None:
        self.store = store or Store()
        self.commits = 0
        self._ids = count(
            1 + max([0, *self.store.accounts, *self.store.projects, *self.store.outbox])
        )

    def __enter__(self) -> Self:
        work = Store(
            accounts={
                id_: _copy_account(account)
                for id_, account in self.store.accounts.items()
            },
            projects={
                id_: copy(project)
                for id_, project in self.store.projects.items()
            },
            outbox={
                id_: copy(mail)
                for id_, mail in self.store.outbox.items()
            },
        )
        self._work = work
        self.accounts = FakeAccountRepository(work, self._ids)
        self.users = FakeUserRepository(work)
        self.projects = FakeProjectRepository(work, self._ids)
        self.outbox = FakeOutbox(work, self._ids)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None
    ) -> None:
        del self._work, self.accounts, self.users, self.projects, self.outbox

    def commit(self) -> None:
        self.commits += 1
        self.store.accounts = self._work.accounts
        self.store.projects = self._work.projects
        self.store.outbox = self._work.outbox


def _copy_account(account: Account) -> Account:
    copied = copy(account)
    copied.user = copy(account.user)
    return copied


class FakeAccountRepository:
    def __init__(self, store: Store, ids: 'count[int]') -> None:
        self._store = store
        self._ids = ids

    def add(self, account: Account) -> None:
        self.save(account)
        account.id = next(self._ids)
        account.user.id = next(self._ids)
        account.user.account_id = account.id
        self._store.accounts[account.id] = account

    def save(self, account: Account) -> None:
        for other in self._store.accounts.values():
            if other is not account and other.email == account.email:
                raise EmailTaken(account.email)
            if other is not account and \
                    other.user.username.lower() == account.user.username.lower():
                raise UsernameTaken(account.user.username)

    def get(self, id_: int) -> Account | None:
        return self._store.accounts.get(id_)

    get_for_update = get

    def get_by_email(self, email: str) -> Account | None:
        accounts = self._store.accounts.values()
        return next((account for account in accounts if account.email == email), None)


class FakeUserRepository:
    def __init__(self, store: Store) -> None:
        self._users = [account.user for account in store.accounts.values()]

    def get_by_username(self, username: str) -> User | None:
        lowered = username.lower()
        return next((user for user in self._users if user.username.lower() == lowered), None)

    def get_by_account(self, account_id: int) -> User | None:
        return next((user for user in self._users if user.account_id == account_id), None)


class FakeProjectRepository:
    def __init__(self, store: Store, ids: 'count[int]') -> None:
        self._store = store
        self._ids = ids

    def add(self, project: Project) -> None:
        if project.user_id not in {account.user.id for account in self._store.accounts.values()}:
            raise AuthorGone()
        project.id = next(self._ids)
        self._store.projects[project.id] = project

    def page_of_user(self, user_id: int, page: PageRequest) -> Page[Project]:
        found = sorted(
            (
                project for project in self._store.projects.values()
                if project.user_id == user_id and (page.before is None or project.id < page.before)
            ),
            key=lambda project: -project.id,
        )
        items = found[:page.limit]
        return Page(items=items, next_before=items[-1].id if len(found) > page.limit else None)


class FakeOutbox:
    def __init__(self, store: Store, ids: 'count[int]') -> None:
        self._store = store
        self._ids = ids

    def add(self, mail: OutboxMail) -> None:
        mail.id = next(self._ids)
        self._store.outbox[mail.id] = mail

    def get(self, id_: int) -> OutboxMail | None:
        return self._store.outbox.get(id_)

    def next_due(self, now: datetime) -> OutboxMail | None:
        due = [
            mail for mail in self._store.outbox.values()
            if mail.status is MailStatus.PENDING and mail.due_at <= now
        ]
        return min(due, key=lambda mail: mail.due_at, default=None)

    def list_unfinished(self) -> list[OutboxMail]:
        unfinished = (MailStatus.PENDING, MailStatus.FAILED)
        return [mail for _, mail in sorted(self._store.outbox.items()) if mail.status in unfinished]
