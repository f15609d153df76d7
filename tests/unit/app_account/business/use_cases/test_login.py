import pytest

from talelio_backend.app_account.business.domain.errors import AccountNotVerified, InvalidCredentials
from talelio_backend.shared.business.identity import Identity
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import ACCESS, EMAIL, PASSWORD, log_in, register, token_for, verify


class TestLogIn:

    def test_the_access_token_names_the_account_and_its_new_session(self) -> None:
        uow = FakeUnitOfWork()
        account = register(uow)
        verify(uow, token_for(account))

        issued = log_in(uow, email='MAKER@example.com ')

        session, = uow.store.sessions.values()
        assert ACCESS.read(issued.access_token) == Identity(account.id, session.id, 0)

    @pytest.mark.parametrize('email', [EMAIL, 'stranger@example.com', 'no address'])
    def test_wrong_passwords_and_unknown_addresses_look_and_cost_the_same(self, email: str) -> None:
        uow, hasher = FakeUnitOfWork(), FakeHasher()
        register(uow)

        with pytest.raises(InvalidCredentials, match='Invalid username or password'):
            log_in(uow, hasher, email=email, password='wrong')
        assert hasher.verified == 1

    def test_only_the_right_password_reveals_an_unverified_account(self) -> None:
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

    def test_a_current_hash_is_not_renewed(self) -> None:
        uow, hasher = FakeUnitOfWork(), FakeHasher()
        verify(uow, token_for(register(uow)))

        log_in(uow, hasher)

        assert (hasher.verified, hasher.hashed) == (1, 0)

    def test_renewing_a_hash_keeps_a_concurrent_password_change(self) -> None:
        uow = FakeUnitOfWork()
        account = register(uow)
        verify(uow, token_for(account))

        class SlowHasher(FakeHasher):

            def hash(self, password: str) -> str:
                uow.store.accounts[account.id].password_hash = '2:changed'
                return super().hash(password)

        log_in(uow, SlowHasher(generation=2))

        assert uow.store.accounts[account.id].password_hash == '2:changed'
