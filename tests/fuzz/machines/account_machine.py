"""Random histories of accounts, sessions and links: the same rules for use cases and for the served API."""
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from talelio_backend.shared.business.errors import BusinessError
from tests.fuzz.machines import account_links as links
from tests.fuzz.machines.account_model import (
    GRACE,
    AccountModel,
    ModelAccess,
    ModelAccount,
    ModelChange,
    ModelSession,
)
from tests.fuzz.machines.account_system import AccountSystem, Kept, Shown, Tokens

T = TypeVar('T')

PASSWORDS = ('correct horse battery', 'another pass phrase')
WRONG = 'not the pass phrase'

# Of the addresses.
_numbers = st.integers(0, 2)
_passwords = st.sampled_from(PASSWORDS)
_tries = st.sampled_from([*PASSWORDS, *PASSWORDS, WRONG])
# Of something that was given out; mostly one of the last.
_back = st.integers(0, 3) | st.integers(0, 20)

_has_access = precondition(lambda self: self.access)
_has_refresh_token = precondition(lambda self: self.refreshes)
_has_reset = precondition(lambda self: self.resets)
_has_change = precondition(lambda self: self.changes)


class AccountMachine(RuleBasedStateMachine):
    steps: ClassVar[int] = 0

    def __init__(self, system: AccountSystem) -> None:
        super().__init__()
        self.system = system
        self.model = AccountModel()
        # All that was ever given out, good or not any more.
        self.accounts: list[ModelAccount] = []
        self.verifications: list[tuple[str, ModelAccount, str]] = []
        self.access: list[tuple[str, ModelAccess]] = []
        self.refreshes: list[tuple[str, str, ModelSession]] = []
        self.resets: list[tuple[str, ModelAccount, str, int]] = []
        self.changes: list[ModelChange] = []

    @initialize(number=_numbers)
    def begin(self, number: int) -> None:
        self.register(number, PASSWORDS[0])
        self.verify(0)
        # Twice, for what ends the other sessions.
        self.log_in(number, PASSWORDS[0])
        self.log_in(number, PASSWORDS[0])

    @rule(number=_numbers, password=_passwords)
    def register(self, number: int, password: str) -> None:
        email = self.system.emails[number]
        username = email.partition('@')[0]
        expected = self.model.register(email, username)
        made = _try(expected, partial(self.system.register, email, password, username))
        if made is not None:
            account = ModelAccount(made, email, username, password)
            self.model.accounts.append(account)
            self.accounts.append(account)
            self.verifications.append((links.verification(account), account, email))

    @rule(back=_back)
    def verify(self, back: int) -> None:
        token, account, email = _pick(self.verifications, back)
        _try(self.model.verify(account, email), partial(self.system.verify, token))

    @rule(number=_numbers, password=_tries)
    def log_in(self, number: int, password: str) -> None:
        email = self.system.emails[number]
        expected = self.model.log_in(email, password)
        tokens = _try(expected, partial(self.system.log_in, email, password))
        if tokens is not None:
            account = self.model.holder(email)
            assert account is not None
            secret = links.REFRESH.read(tokens.refresh)
            session = ModelSession(secret.session_id, account, [secret.secret])
            self.model.sessions.append(session)
            self._keep(tokens, session)

    @rule()
    def wait(self) -> None:
        self.system.wait(GRACE + timedelta(seconds=1))

    @_has_refresh_token
    @rule(back=_back)
    def refresh(self, back: int) -> None:
        """Also a token that was exchanged before."""
        token, secret, session = _pick(self.refreshes, back)
        now = self._certain_time(session)
        expected = self.model.refresh(session, secret, now)
        tokens = _try(expected, partial(self.system.refresh, token))
        if tokens is not None:
            handed_out = links.REFRESH.read(tokens.refresh).secret
            if secret == session.secrets[-1] and not self.model.in_grace(session, now):
                assert handed_out not in session.secrets
                session.secrets.append(handed_out)
                session.rotated_at = now
            assert handed_out == session.secrets[-1]
            self._keep(tokens, session)

    @_has_refresh_token
    @rule(back=_back)
    def log_out(self, back: int) -> None:
        token, _, session = _pick(self.refreshes, back)
        self.model.sessions = [each for each in self.model.sessions if each is not session]
        self.system.log_out(token)

    @_has_access
    @rule(back=_back)
    def log_out_everywhere(self, back: int) -> None:
        token, about = _pick(self.access, back)
        expected = self.model.access(about)
        _try(expected, partial(self.system.log_out_everywhere, token))
        if expected is None:
            self.model.log_out_everywhere(about.account)

    @_has_access
    @rule(back=_back, other=_back)
    def end_session(self, back: int, other: int) -> None:
        """Also somebody else's, and one that has ended."""
        token, about = _pick(self.access, back)
        session = _pick(self.refreshes, other)[2]
        expected = self.model.end_session(about, session)
        _try(expected, partial(self.system.end_session, token, session.id))

    @_has_access
    @rule(back=_back, current=_tries, new=_passwords)
    def change_password(self, back: int, current: str, new: str) -> None:
        token, about = _pick(self.access, back)
        expected = self.model.prove(about, current)
        access_token = _try(expected, partial(self.system.change_password, token, current, new))
        if access_token is not None:
            self.model.replace_password(about.account, new, about.session)
            self.access.append((access_token, ModelAccess(about.account, about.session, about.account.epoch)))

    @rule(back=_back)
    def forget_password(self, back: int) -> None:
        account = _pick(self.accounts, back)
        token = links.reset(account)
        self.resets.append((token, account, account.email, account.epoch))

    @_has_reset
    @rule(back=_back, password=_passwords)
    def reset_password(self, back: int, password: str) -> None:
        token, account, email, epoch = _pick(self.resets, back)
        expected = self.model.reset(account, email, epoch, password)
        _try(expected, partial(self.system.reset_password, token, password))

    @_has_access
    @rule(back=_back, number=_numbers, password=_tries)
    def request_email_change(self, back: int, number: int, password: str) -> None:
        token, about = _pick(self.access, back)
        email = self.system.emails[number]
        expected = self.model.prove(about, password)
        _try(expected, partial(self.system.request_email_change, token, email, password))
        if expected is None:
            self.model.request_change(about.account)
            if email != about.account.email:
                change = ModelChange(
                    max(self.system.kept().changes), about.account, about.account.email, email
                )
                self.model.changes.append(change)
                self.changes.append(change)

    @_has_change
    @rule(back=_back)
    def confirm_email_change(self, back: int) -> None:
        change = _pick(self.changes, back)
        token = links.confirmation(change)
        _try(self.model.confirm(change), partial(self.system.confirm_email_change, token))

    @_has_change
    @rule(back=_back)
    def revoke_email_change(self, back: int) -> None:
        change = _pick(self.changes, back)
        token = links.revocation(change)
        _try(self.model.revoke(change), partial(self.system.revoke_email_change, token))

    @_has_access
    @rule(back=_back, password=_tries)
    def delete(self, back: int, password: str) -> None:
        token, about = _pick(self.access, back)
        expected = self.model.prove(about, password)
        _try(expected, partial(self.system.delete, token, password))
        if expected is None:
            self.model.delete(about.account)

    @invariant()
    def lets_in_who_is_let_in_and_nobody_else(self) -> None:
        type(self).steps += 1
        self.system.wait(timedelta(seconds=1))
        for token, about in self.access:
            expected = self.model.access(about)
            shown = _try(expected, partial(self.system.show, token))
            sessions = _try(expected, partial(self.system.list_sessions, token))
            if expected is None:
                account = about.account
                assert shown == Shown(
                    email=account.email, username=account.username, verified=account.verified
                )
                assert sessions == {each.id for each in self.model.sessions if each.account is account}
        assert self.system.kept() == Kept(
            accounts={account.id
                      for account in self.model.accounts},
            sessions={session.id
                      for session in self.model.sessions},
            changes={change.id
                     for change in self.model.changes},
        )

    def _certain_time(self, session: ModelSession) -> datetime:
        """At which there is no doubt whether the session's last exchange is long ago."""
        since = None if session.rotated_at is None else self.system.now() - session.rotated_at
        if since is not None and abs(since - GRACE) < self.system.doubt:
            self.system.wait(2 * self.system.doubt)
        return self.system.now()

    def _keep(self, tokens: Tokens, session: ModelSession) -> None:
        secret = links.REFRESH.read(tokens.refresh).secret
        self.refreshes.append((tokens.refresh, secret, session))
        about = ModelAccess(session.account, session, session.account.epoch)
        self.access.append((tokens.access, about))


def _try(expected: str | None, step: Callable[[], T]) -> T | None:
    """Return what the step returns, or None where it raises what is expected."""
    try:
        result = step()
    except BusinessError as error:
        assert error.message == expected
        return None
    assert expected is None, expected
    return result


def _pick(given_out: list[Any], back: int) -> Any:
    return given_out[-1 - back % len(given_out)]
