"""What keeps things that are committed: the real database, and the fakes that stand in for it."""
from typing import Protocol

from sqlalchemy import Engine

from talelio_backend.app_account.business.account import Account
from talelio_backend.app_account.business.ports import AccountUnitOfWork
from talelio_backend.app_asset.business.ports import AssetUnitOfWork
from talelio_backend.app_feed.business.ports import ChangeUnitOfWork
from talelio_backend.app_project.business.ports import ProjectUnitOfWork
from talelio_backend.bootstrap import UnitOfWork
from talelio_backend.shared.business.rate_limits import LimitsUnitOfWork
from talelio_backend.shared.presentation.idempotency import ResultKeepingUnitOfWork
from tests.fakes.change_log import record
from tests.fakes.store import Store
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.engines import scalar
from tests.support.samples import new_account


class WholeUnitOfWork(
    AccountUnitOfWork, ProjectUnitOfWork, AssetUnitOfWork, ChangeUnitOfWork, LimitsUnitOfWork,
    ResultKeepingUnitOfWork, Protocol
):
    """What the services together see of it."""


class Backing(Protocol):
    """Something that keeps what is committed."""

    def unit_of_work(self) -> WholeUnitOfWork:
        ...

    def delete_account(self, id_: int) -> None:
        """Behind the ports' back: no use case deletes yet."""


class RealBacking:

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unit_of_work(self) -> WholeUnitOfWork:
        return UnitOfWork(self._engine)

    def delete_account(self, id_: int) -> None:
        scalar(self._engine, 'DELETE FROM accounts WHERE id = :id', id=id_)


class FakeBacking:

    def __init__(self) -> None:
        self._store = Store()

    def unit_of_work(self) -> WholeUnitOfWork:
        return FakeUnitOfWork(self._store)

    def delete_account(self, id_: int) -> None:
        user = self._store.accounts.pop(id_).user
        for session in [each for each in self._store.sessions.values() if each.account_id == id_]:
            del self._store.sessions[session.id]
        projects = [project for project in self._store.projects.values() if project.user_id == user.id]
        for table in self._store.projects, self._store.images:
            for row_id in [row.id for row in table.values() if row.user_id == user.id]:
                del table[row_id]
        for project in projects:
            record(self._store, project, None)
        for key in [key for key in self._store.old_slugs if key[0] == user.id]:
            del self._store.old_slugs[key]


def committed_account(backing: Backing, username: str = 'maker', *, email: str | None = None) -> Account:
    account = new_account(username, email=email)
    with backing.unit_of_work() as uow:
        uow.accounts.add(account)
        uow.commit()
    return account
