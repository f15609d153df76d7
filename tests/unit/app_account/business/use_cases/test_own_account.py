from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from talelio_backend.app_account.business.domain.errors import (
    ChangedMeanwhile,
    InvalidCredentials,
    SessionEnded,
    WeakPassword,
    WrongPassword,
)
from talelio_backend.app_account.business.mails.account_mails import PASSWORD_CHANGED_MAIL
from talelio_backend.app_account.business.use_cases import own_account
from talelio_backend.app_account.business.use_cases.sessions import CheckedAccessTokens
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.idempotency.business.claims import IdempotencyClaim, scope_of
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import ACCESS, EMAIL, NOW, PASSWORD, context, log_in, register_verified
from tests.support.samples import new_image

LATER = NOW + timedelta(seconds=1)
NEW = 'another pass phrase'


def change_password(
    uow: FakeUnitOfWork,
    owner: Identity,
    *,
    hasher: FakeHasher | None = None,
    current: str = PASSWORD,
    new: str = NEW
) -> str:
    arguments = context(uow, LATER, hasher=hasher or FakeHasher())
    return own_account.change_password(arguments, owner, current=current, new=new)


def keep_files(_user_id: int, _keys: Sequence[str]) -> None:
    raise AssertionError('Nobody was deleted')


def delete(
    uow: FakeUnitOfWork,
    owner: Identity,
    *,
    hasher: FakeHasher | None = None,
    password: str = PASSWORD,
    free_files: Callable[[int, Sequence[str]], None] = keep_files
) -> None:
    arguments = context(uow, LATER, hasher=hasher or FakeHasher(), free_files=free_files)
    own_account.delete(arguments, owner, password)


def logged_in(uow: FakeUnitOfWork, *, password: str = PASSWORD) -> Identity:
    return ACCESS.read(log_in(uow, password=password).access_token)


def check(uow: FakeUnitOfWork, owner: Identity) -> Identity:
    tokens = CheckedAccessTokens(ACCESS, lambda: FakeUnitOfWork(uow.store))
    return tokens.read(tokens.issue(owner, NOW))


class Interrupted(FakeHasher):
    """Revokes all tokens of the account while it checks the password."""

    def __init__(self, uow: FakeUnitOfWork) -> None:
        super().__init__()
        self._store = uow.store

    def verify(self, password: str, password_hash: str | None) -> bool:
        for account in self._store.accounts.values():
            account.revoke_access_tokens()
        return super().verify(password, password_hash)


class TestChangePassword:

    def test_only_the_new_password_works(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)

        change_password(uow, logged_in(uow))

        assert uow.store.accounts[account.id].updated_at == LATER
        with pytest.raises(InvalidCredentials):
            log_in(uow)
        assert log_in(uow, password=NEW).access_token

    def test_a_password_change_ends_all_other_sessions(self) -> None:
        uow = FakeUnitOfWork()
        register_verified(uow)
        owner, other = logged_in(uow), logged_in(uow)

        token = change_password(uow, owner)

        staying = check(uow, ACCESS.read(token))
        assert (staying.account_id, staying.session_id) == (owner.account_id, owner.session_id)
        assert list(uow.store.sessions) == [owner.session_id]
        for ended in (owner, other):
            with pytest.raises(SessionEnded):
                check(uow, ended)

    def test_a_password_change_notifies_the_owner(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)

        change_password(uow, logged_in(uow))

        mail = uow.store.outbox[max(uow.store.outbox)]
        assert (mail.kind, mail.payload['account_id']) == (PASSWORD_CHANGED_MAIL, account.id)
        assert mail.due_at == LATER

    @pytest.mark.parametrize('new', ['short', 'iloveyou1', EMAIL, 'maker123'])
    def test_a_weak_password_changes_nothing_and_is_not_hashed(self, new: str) -> None:
        uow, hasher = FakeUnitOfWork(), FakeHasher()
        register_verified(uow, username='maker123')

        with pytest.raises(WeakPassword):
            change_password(uow, logged_in(uow), hasher=hasher, new=new)

        assert hasher.hashed == 0
        assert log_in(uow).access_token


class TestDelete:

    def test_deleting_removes_all_data_and_the_files_last(self) -> None:
        uow = FakeUnitOfWork()
        account = register_verified(uow)
        other = register_verified(uow, email='other@example.com', username='other')
        with uow:
            claims = [
                uow.idempotency_claims.get_or_add(
                    IdempotencyClaim.make(scope=scope_of(each.id), key='key', fingerprint='', now=NOW)
                ) for each in (account, other)
            ]
            image = new_image(account.user.id)
            uow.images.add(image)
            uow.images.add(new_image(other.user.id))
            uow.commit()
        freed: list[tuple[int, Sequence[str], bool]] = []

        def free_files(user_id: int, keys: Sequence[str]) -> None:
            freed.append((user_id, keys, account.id in uow.store.accounts))

        delete(uow, logged_in(uow), free_files=free_files)

        assert list(uow.store.accounts) == [other.id]
        assert [each.user_id for each in uow.store.images.values()] == [other.user.id]
        assert list(uow.store.idempotency_claims) == [claims[1].id]
        assert not uow.store.sessions
        assert freed == [(account.user.id, image.keys, False)]


@pytest.mark.parametrize('use_case', [change_password, delete])
class TestProof:

    def test_an_account_changed_meanwhile_stays_unchanged(self, use_case: Callable[..., object]) -> None:
        uow = FakeUnitOfWork()
        register_verified(uow)

        with pytest.raises(ChangedMeanwhile, match='try again'):
            use_case(uow, logged_in(uow), hasher=Interrupted(uow))

        assert log_in(uow).access_token

    def test_a_deleted_account_is_reported(self, use_case: Callable[..., object]) -> None:
        with pytest.raises(AccountGone):
            use_case(FakeUnitOfWork(), Identity(7))


@pytest.mark.parametrize('use_case', [
    lambda uow, owner: change_password(uow, owner, current='wrong'),
    lambda uow, owner: delete(uow, owner, password='wrong'),
], ids=['change_password', 'delete'])  # yapf: disable
def test_a_wrong_password_changes_nothing(use_case: Callable[[FakeUnitOfWork, Identity], object]) -> None:
    uow = FakeUnitOfWork()
    register_verified(uow)
    owner = logged_in(uow)

    with pytest.raises(WrongPassword, match='Wrong password'):
        use_case(uow, owner)

    assert check(uow, owner) == owner
    assert log_in(uow).access_token


def test_show_returns_the_own_account() -> None:
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    register_verified(uow, email='other@example.com', username='other')

    assert own_account.show(uow, logged_in(uow)).id == account.id
