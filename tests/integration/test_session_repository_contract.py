"""What the port of the sessions promises, shown on the real repository and on the fake alike."""
from datetime import datetime, timedelta

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.session import IDLE_LIFETIME, Client, Session
from talelio_backend.app_account.business.ports import AccountStatus
from tests.support.backings import Backing, committed_account
from tests.support.samples import NOW

SECOND = timedelta(seconds=1)
CLIENT = Client(device='Firefox on Linux', address='192.0.2.1')


def committed_session(backing: Backing, account: Account, now: datetime = NOW) -> int:
    session = Session.begin(account.id, 'secret', CLIENT, now)
    with backing.unit_of_work() as uow:
        uow.sessions.add(session)
        uow.commit()
    return session.id


def ids(backing: Backing, account: Account, now: datetime = NOW) -> list[int]:
    with backing.unit_of_work() as uow:
        return [session.id for session in uow.sessions.of_account(account.id, now)]


def status_of(backing: Backing, account_id: int, session_id: int | None) -> AccountStatus | None:
    with backing.read_session() as session:
        return session.sessions.account_status(account_id, session_id)


def test_a_session_is_kept_as_it_was(backing: Backing) -> None:
    account = committed_account(backing)
    id_ = committed_session(backing, account)

    with backing.unit_of_work() as uow:
        session = uow.sessions.get_for_update(id_)
        assert session is not None
        assert session.exchange('secret', ['next'], CLIENT, NOW + SECOND) == 'next'
        uow.commit()

    with backing.unit_of_work() as uow:
        session = uow.sessions.get_for_update(id_)
    assert session is not None
    assert (session.account_id, session.device, session.address) == (account.id, *vars(CLIENT).values())
    assert (session.created_at, session.last_used_at, session.rotated_at) == (NOW, NOW + SECOND, NOW + SECOND)
    assert session.expires_at == NOW + SECOND + IDLE_LIFETIME


def test_a_session_that_is_not_there_is_none(backing: Backing) -> None:
    with backing.unit_of_work() as uow:
        assert uow.sessions.get_for_update(1) is None


def test_the_most_recently_used_comes_first_and_what_is_over_not_at_all(backing: Backing) -> None:
    account, other = committed_account(backing), committed_account(backing, 'other')
    older, newer, same = (committed_session(backing, account, NOW + s * SECOND) for s in (0, 1, 1))
    committed_session(backing, other)

    assert ids(backing, account) == [same, newer, older]
    assert ids(backing, account, NOW + IDLE_LIFETIME) == [same, newer]
    assert ids(backing, account, NOW + IDLE_LIFETIME + SECOND) == []


def test_the_account_status_covers_account_and_session(backing: Backing) -> None:
    account, other = committed_account(backing), committed_account(backing, 'other')
    own, others = committed_session(backing, account), committed_session(backing, other)
    with backing.unit_of_work() as uow:
        changed = uow.accounts.get_for_update(account.id)
        assert changed is not None
        changed.revoke_access_tokens()
        uow.commit()

    assert status_of(backing, account.id, own) == AccountStatus(
        user_id=account.user.id, epoch=1, disabled=False, session_active=True
    )
    assert status_of(backing, account.id, None) == AccountStatus(
        user_id=account.user.id, epoch=1, disabled=False, session_active=True
    )
    assert status_of(backing, account.id, others) == AccountStatus(
        user_id=account.user.id, epoch=1, disabled=False, session_active=False
    )
    assert status_of(backing, other.id, others
                     ) == AccountStatus(user_id=other.user.id, epoch=0, disabled=False, session_active=True)
    assert status_of(backing, 2**31 - 1, own) is None


def test_only_an_own_session_is_ended_and_only_once(backing: Backing) -> None:
    account, other = committed_account(backing), committed_account(backing, 'other')
    own, others = committed_session(backing, account), committed_session(backing, other)

    with backing.unit_of_work() as uow:
        assert not uow.sessions.end(account.id, others)
        assert uow.sessions.end(account.id, own)
        assert not uow.sessions.end(account.id, own)
        uow.commit()

    assert (ids(backing, account), ids(backing, other)) == ([], [others])


def test_all_or_all_but_one_are_ended(backing: Backing) -> None:
    account, other = committed_account(backing), committed_account(backing, 'other')
    kept, _, _ = (committed_session(backing, account) for _ in range(3))
    others = committed_session(backing, other)

    with backing.unit_of_work() as uow:
        uow.sessions.end_all(account.id, keep=kept)
        uow.commit()
    assert ids(backing, account) == [kept]

    with backing.unit_of_work() as uow:
        uow.sessions.end_all(account.id)
        uow.commit()
    assert (ids(backing, account), ids(backing, other)) == ([], [others])


def test_the_most_recently_used_are_kept(backing: Backing) -> None:
    account, other = committed_account(backing), committed_account(backing, 'other')
    _, second, third = (committed_session(backing, account, NOW + s * SECOND) for s in range(3))
    others = committed_session(backing, other)

    with backing.unit_of_work() as uow:
        uow.sessions.keep_newest(account.id, 2)
        uow.commit()

    assert (ids(backing, account), ids(backing, other)) == ([third, second], [others])


def test_what_is_over_is_deleted_a_number_at_a_time(backing: Backing) -> None:
    account = committed_account(backing)
    over = {committed_session(backing, account) for _ in range(3)}
    kept = committed_session(backing, account, NOW + SECOND)

    for left in (1, 0):
        with backing.unit_of_work() as uow:
            uow.sessions.delete_over(NOW + IDLE_LIFETIME, 2)
            uow.commit()
        assert len(over & set(ids(backing, account))) == left
    assert ids(backing, account) == [kept]


def test_sessions_go_with_their_account(backing: Backing) -> None:
    account = committed_account(backing)
    id_ = committed_session(backing, account)

    backing.delete_account(account.id)

    with backing.unit_of_work() as uow:
        assert uow.sessions.get_for_update(id_) is None
