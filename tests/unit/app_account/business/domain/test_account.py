from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.errors import (
    AccountAlreadyVerified,
    AccountNotVerified,
    InvalidVerificationToken,
)
from talelio_backend.app_user.business.user import User

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def make_account() -> Account:
    return Account.register('maker@example.com', 'hash', User.create('maker', NOW), NOW)


def test_a_new_account_may_not_log_in() -> None:
    with pytest.raises(AccountNotVerified):
        make_account().check_may_log_in()


def test_a_verified_account_may_log_in() -> None:
    account = make_account()

    account.verify(NOW)

    account.check_may_log_in()
    assert account.updated_at == NOW


def test_only_the_newest_link_is_valid() -> None:
    account = make_account()

    assert account.renew_link(NOW + timedelta(hours=1))

    account.check_link(2)
    with pytest.raises(InvalidVerificationToken):
        account.check_link(1)


def test_no_link_is_valid_after_verification() -> None:
    account = make_account()

    account.verify(NOW)

    with pytest.raises(AccountAlreadyVerified):
        account.check_link(1)
    assert not account.renew_link(NOW + timedelta(days=1))


def test_the_pause_between_links_grows_up_to_an_hour() -> None:
    account = make_account()
    now = NOW
    pauses = []
    for _ in range(9):
        pause = timedelta(0)
        while not account.renew_link(now + pause):
            pause += timedelta(minutes=1)
        now += pause
        pauses.append(pause // timedelta(minutes=1))

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_revoked_tokens_stay_revoked() -> None:
    account = make_account()
    epochs = [account.token_epoch]

    for _ in range(3):
        account.revoke_access_tokens()
        epochs.append(account.token_epoch)

    assert len(set(epochs)) == 4


def test_claiming_replaces_all_credentials() -> None:
    account = make_account()

    account.claim('own hash', 'owner', LATER)

    assert (account.password_hash, account.user.username, account.verified) == \
        ('own hash', 'owner', True)
    assert (account.updated_at, account.user.updated_at) == (LATER, LATER)


@pytest.mark.parametrize('change', [
    Account.verify,
    Account.disable,
    Account.enable,
    lambda account, now: account.change_password('own hash', now),
    lambda account, now: account.change_email('other@example.com', now),
])  # yapf: disable
def test_each_change_sets_updated_at(change: Callable[[Account, datetime], None]) -> None:
    account = make_account()

    change(account, LATER)

    assert (account.created_at, account.updated_at) == (NOW, LATER)
