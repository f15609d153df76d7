import pytest

from talelio_backend.shared.business.identity import Identity
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import new_account


@pytest.fixture(name='uow')
def fixture_uow() -> FakeUnitOfWork:
    return FakeUnitOfWork()


@pytest.fixture(name='author')
def fixture_author(uow: FakeUnitOfWork) -> Identity:
    return joined(uow, 'maker')


@pytest.fixture(name='other')
def fixture_other(uow: FakeUnitOfWork) -> Identity:
    return joined(uow, 'other')


def joined(uow: FakeUnitOfWork, username: str) -> Identity:
    account = new_account(username)
    with uow:
        uow.accounts.add(account)
        uow.commit()
    return Identity(account.id)
