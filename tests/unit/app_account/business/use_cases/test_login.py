import pytest

from talelio_backend.app_account.business.domain.errors import AccountNotVerified, InvalidCredentials
from talelio_backend.shared.business.identity import Identity
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import ACCESS, EMAIL, PASSWORD, log_in, register, token_for, verify


class TestLogIn:

    def test_the_token_names_the_account_and_the_session_that_begins(self) -> None:
        uow = FakeUnitOfWork()
        account = register(uow)
        verify(uow, token_for(account))

        issued = log_in(uow, email='MAKER@example.com ')

        session, = uow.store.sessions.values()
        assert ACCESS.read(issued.access_token) == Identity(account.id, session.id, 0)

    @pytest.mark.parametrize('email', [EMAIL, 'stranger@example.com', 'no address'])
    def test_a_wrong_password_and_an_unknown_address_are_the_same_and_cost_the_same(self, email: str) -> None:
        uow, hasher = FakeUnitOfWork(), FakeHasher()
        register(uow)

        with pytest.raises(InvalidCredentials, match='Invalid username or password'):
            log_in(uow, hasher, email=email, password='wrong')
        assert hasher.verified == 1

    def test_only_who_knows_the_password_hears_that_the_account_is_not_verified(self) -> None:
        uow = FakeUnitOfWork()
        register(uow)

        with pytest.raises(AccountNotVerified, match='Account not verified'):
            log_in(uow)
        with pytest.raises(InvalidCredentials):
            log_in(uow, password='wrong')

    def test_an_outdated_hash_is_renewed(self) -> None:
        uow = FakeUnitOfWork()
        account = register(uow)
        verify(uow, token_for(account))

        log_in(uow, FakeHasher(generation=2))

        assert uow.store.accounts[account.id].password_hash == f'2:{PASSWORD}'
        assert log_in(uow, FakeHasher(generation=2)).access_token

    def test_a_hash_that_is_good_enough_costs_no_second_one(self) -> None:
        uow, hasher = FakeUnitOfWork(), FakeHasher()
        verify(uow, token_for(register(uow)))

        log_in(uow, hasher)

        assert (hasher.verified, hasher.hashed) == (1, 0)

    def test_renewing_does_not_undo_a_change_made_meanwhile(self) -> None:
        uow = FakeUnitOfWork()
        account = register(uow)
        verify(uow, token_for(account))

        class SlowHasher(FakeHasher):

            def hash(self, password: str) -> str:
                uow.store.accounts[account.id].password_hash = '2:changed'
                return super().hash(password)

        log_in(uow, SlowHasher(generation=2))

        assert uow.store.accounts[account.id].password_hash == '2:changed'
