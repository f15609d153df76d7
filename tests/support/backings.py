"""What keeps things that are committed: the real database, and the fakes that stand in for it."""
from typing import Protocol

from sqlalchemy import Engine

from talelio_backend.app_account.business.account import Account
from talelio_backend.app_account.business.link_ports import EmailChangeUnitOfWork
from talelio_backend.app_asset.business.ports import AssetUnitOfWork
from talelio_backend.app_feed.business.ports import ChangeUnitOfWork
from talelio_backend.app_project.business.ports import ProjectReading, ProjectUnitOfWork
from talelio_backend.bootstrap import Reading, UnitOfWork
from talelio_backend.shared.business.rate_limits import LimitsUnitOfWork
from talelio_backend.shared.presentation.idempotency import ResultKeepingUnitOfWork
from tests.fakes.store import Store
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.engines import scalar
from tests.support.samples import new_account


class WholeUnitOfWork(
    EmailChangeUnitOfWork, ProjectUnitOfWork, AssetUnitOfWork, ChangeUnitOfWork, LimitsUnitOfWork,
    ResultKeepingUnitOfWork, Protocol
):
    """What the services together see of it."""


class Backing(Protocol):
    """Something that keeps what is committed."""

    def unit_of_work(self) -> WholeUnitOfWork:
        ...

    def reading(self) -> ProjectReading:
        ...

    def delete_account(self, id_: int) -> None:
        """Behind the ports' back: no use case deletes yet."""


class RealBacking:

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unit_of_work(self) -> WholeUnitOfWork:
        return UnitOfWork(self._engine)

    def reading(self) -> ProjectReading:
        return Reading(self._engine)

    def delete_account(self, id_: int) -> None:
        scalar(self._engine, 'DELETE FROM accounts WHERE id = :id', id=id_)


class FakeBacking:

    def __init__(self) -> None:
        self._store = Store()

    def unit_of_work(self) -> WholeUnitOfWork:
        return FakeUnitOfWork(self._store)

    def reading(self) -> ProjectReading:
        return FakeUnitOfWork(self._store)

    def delete_account(self, id_: int) -> None:
        with self.unit_of_work() as uow:
            account = uow.accounts.get(id_)
            assert account is not None
            uow.accounts.delete(account)
            uow.commit()


def committed_account(backing: Backing, username: str = 'maker', *, email: str | None = None) -> Account:
    account = new_account(username, email=email)
    with backing.unit_of_work() as uow:
        uow.accounts.add(account)
        uow.commit()
    return account
