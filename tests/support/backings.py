"""What keeps things that are committed: the real database, and the fakes that stand in for it."""
from typing import Protocol

from sqlalchemy import Engine

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.ports import AccountStatusReadSession, AccountUnitOfWork
from talelio_backend.app_asset.business.ports import AssetUnitOfWork
from talelio_backend.app_feed.business.ports import ChangeUnitOfWork
from talelio_backend.app_project.business.ports import ProjectReadSession, ProjectUnitOfWork
from talelio_backend.bootstrap import ReadSession, UnitOfWork
from talelio_backend.shared.idempotency.presentation.idempotency_key import ResultObservingUnitOfWork
from talelio_backend.shared.rate_limits.business.limits import LimitsUnitOfWork
from tests.fakes.store import Store
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.engines import scalar
from tests.support.samples import new_account


class WholeUnitOfWork(
    AssetUnitOfWork, AccountUnitOfWork, ProjectUnitOfWork, ChangeUnitOfWork, LimitsUnitOfWork,
    ResultObservingUnitOfWork, Protocol
):
    """What the services together see of it."""


class WholeReadSession(AccountStatusReadSession, ProjectReadSession, Protocol):
    pass


class Backing(Protocol):
    """Something that keeps what is committed."""

    def unit_of_work(self) -> WholeUnitOfWork:
        ...

    def read_session(self) -> WholeReadSession:
        ...

    def delete_account(self, id_: int) -> None:
        """Behind the ports' back: no use case deletes yet."""


class RealBacking:

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unit_of_work(self) -> WholeUnitOfWork:
        return UnitOfWork(self._engine)

    def read_session(self) -> WholeReadSession:
        return ReadSession(self._engine)

    def delete_account(self, id_: int) -> None:
        scalar(self._engine, 'DELETE FROM accounts WHERE id = :id', id=id_)


class FakeBacking:

    def __init__(self) -> None:
        self._store = Store()

    def unit_of_work(self) -> WholeUnitOfWork:
        return FakeUnitOfWork(self._store)

    def read_session(self) -> WholeReadSession:
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
