from typing import Any

import pytest

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.errors import (
    AccountAlreadyVerified,
    EmailNotWhitelisted,
    EmailTaken,
    InvalidCredentials,
    InvalidVerificationToken,
    NoRegisteredAccount,
    WeakPassword,
)
from talelio_backend.app_account.business.use_cases import registration
from talelio_backend.app_user.business.errors import InvalidUsername, UsernameTaken
from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.business.identity import Identity
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import (
    ACCESS,
    EMAIL,
    NOW,
    PASSWORD,
    context,
    log_in,
    register,
    token_for,
    verify,
)


def claim(
    uow: FakeUnitOfWork,
    token: str,
    password: str,
    username: str | None = None,
    hasher: FakeHasher | None = None
) -> Account:
    arguments = context(uow, hasher=hasher or FakeHasher())
    return registration.claim(arguments, token=token, password=password, username=username)


class TestRegister:

    def test_the_account_and_its_mail_are_committed_together(self) -> None:
        uow = FakeUnitOfWork()

        account = register(uow, email=' Maker@Example.com')

        assert uow.commits == 1
        assert uow.store.accounts[account.id].email == EMAIL
        [mail] = uow.store.outbox.values()
        assert mail.payload == {'account_id': account.id, 'serial': 1}

    @pytest.mark.parametrize(
        ('changes', 'error', 'message'),
        [
            ({
                'email': 'stranger@example.com'
            }, EmailNotWhitelisted, 'Email not whitelisted'),
            ({
                'email': 'no address'
            }, EmailNotWhitelisted, 'Email not whitelisted'),
            ({}, EmailTaken, f"Account with the email '{EMAIL}' already exists"),
            ({
                'email': 'MAKER@example.com'
            }, EmailTaken, "Account with the email 'MAKER@example.com' already exists"),
            ({
                'email': 'other@example.com',
                'username': 'Maker'
            }, UsernameTaken, "Account with the username 'Maker' already exists"),
            ({
                'email': 'other@example.com',
                'username': 'a/b'
            }, InvalidUsername, 'letters'),
            ({
                'email': 'other@example.com',
                'username': 'new',
                'password': 'short'
            }, WeakPassword, 'at least 8'),
        ],
    )
    def test_invalid_input_is_refused_before_hashing(
        self, changes: dict[str, Any], error: type[BusinessError], message: str
    ) -> None:
        uow, hasher = FakeUnitOfWork(), FakeHasher()
        register(uow)

        with pytest.raises(error, match=message):
            register(uow, hasher, **changes)

        assert hasher.hashed == 0
        assert (len(uow.store.accounts), len(uow.store.outbox)) == (1, 1)

    def test_the_whitelist_is_checked_first(self) -> None:
        uow = FakeUnitOfWork()
        register(uow)

        with pytest.raises(EmailNotWhitelisted):
            register(uow, email='stranger@example.com', username='maker', password='short')

    def test_the_later_of_two_concurrent_registrations_is_refused(self) -> None:
        uow = FakeUnitOfWork()

        class SlowHasher(FakeHasher):

            def hash(self, password: str) -> str:
                # A concurrent registration.
                register(FakeUnitOfWork(uow.store), username='quicker')
                return super().hash(password)

        with pytest.raises(EmailTaken, match="'MAKER@example.com'"):
            register(uow, SlowHasher(), email='MAKER@example.com')
        assert len(uow.store.outbox) == 1


class TestVerify:

    def test_the_account_is_verified_once(self) -> None:
        uow = FakeUnitOfWork()
        account = register(uow)

        assert verify(uow, token_for(account)).verified
        assert uow.store.accounts[account.id].updated_at == NOW
        with pytest.raises(AccountAlreadyVerified):
            verify(uow, token_for(account))

    @pytest.mark.parametrize('changes', [{'account_id': 99}, {'email': 'other@example.com'}])
    def test_a_missing_account_is_reported_by_its_address(self, changes: dict[str, Any]) -> None:
        uow = FakeUnitOfWork()
        account = register(uow)

        named = changes.get('email', EMAIL)
        with pytest.raises(NoRegisteredAccount, match=f"^No registered account with the email '{named}'$"):
            verify(uow, token_for(account, **changes))

    def test_a_token_of_another_kind_does_not_verify(self) -> None:
        uow = FakeUnitOfWork()
        account = register(uow)

        with pytest.raises(InvalidVerificationToken):
            verify(uow, ACCESS.issue(Identity(account.id), NOW))
        assert not uow.store.accounts[account.id].verified


class TestClaim:

    def test_claiming_replaces_the_strangers_password_and_username(self) -> None:
        uow = FakeUnitOfWork()
        account = register(uow, password='the strangers own', username='stranger')

        claim(uow, token_for(account), PASSWORD, 'owner')

        assert log_in(uow).access_token
        with pytest.raises(InvalidCredentials):
            log_in(uow, password='the strangers own')
        assert uow.store.accounts[account.id].user.username == 'owner'

    def test_claiming_without_a_username_keeps_it(self) -> None:
        uow = FakeUnitOfWork()
        account = register(uow)

        claimed = claim(uow, token_for(account), PASSWORD)

        assert (claimed.user.username, claimed.updated_at) == ('maker', NOW)

    @pytest.mark.parametrize('username', ['stranger', 'Stranger', 'STRANGER'])
    def test_claiming_may_keep_the_strangers_username_in_any_case(self, username: str) -> None:
        uow = FakeUnitOfWork()
        account = register(uow, username='stranger')

        assert claim(uow, token_for(account), PASSWORD, username).user.username == username

    @pytest.mark.parametrize(
        ('password', 'username', 'error', 'message'),
        [
            ('password', None, WeakPassword, 'most used'),
            ('maker@example.com', None, WeakPassword, 'must not be the email'),
            ('somebody', 'somebody', WeakPassword, 'must not be the email or the username'),
            (PASSWORD, 'me', InvalidUsername, 'reserved'),
            (PASSWORD, 'other', UsernameTaken, "'other' already exists"),
        ],
    )
    def test_invalid_input_is_refused_before_hashing(
        self, password: str, username: str | None, error: type[BusinessError], message: str
    ) -> None:
        uow, hasher = FakeUnitOfWork(), FakeHasher()
        account = register(uow)
        register(uow, email='other@example.com', username='other')

        with pytest.raises(error, match=message):
            claim(uow, token_for(account), password, username, hasher)
        assert hasher.hashed == 0
        assert not uow.store.accounts[account.id].verified

    def test_a_verified_account_cannot_be_claimed(self) -> None:
        uow = FakeUnitOfWork()
        account = register(uow)
        verify(uow, token_for(account))

        with pytest.raises(AccountAlreadyVerified):
            claim(uow, token_for(account), 'another pass phrase')
