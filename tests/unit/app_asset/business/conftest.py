import pytest

from talelio_backend.shared.business.identity import Identity
from tests.fakes.images import FakeImageStore
from tests.fakes.ports import FakeImageProcessor
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import new_account


@pytest.fixture(name='uow')
def fixture_uow() -> FakeUnitOfWork:
    return FakeUnitOfWork()


@pytest.fixture(name='store')
def fixture_store() -> FakeImageStore:
    return FakeImageStore()


@pytest.fixture(name='processor')
def fixture_processor() -> FakeImageProcessor:
    return FakeImageProcessor()


@pytest.fixture(name='owner')
def fixture_owner(uow: FakeUnitOfWork) -> Identity:
    account = new_account()
    with uow:
        uow.accounts.add(account)
        uow.commit()
    return Identity(account.id)
