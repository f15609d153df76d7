"""Random histories of accounts, sessions and links: the use cases, on fakes, against the model."""
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from talelio_backend.app_account.business import email_changes, own_account, recovery, sessions
from talelio_backend.app_account.business.account import Account
from talelio_backend.app_account.business.checked_access_tokens import CheckedAccessTokens
from talelio_backend.app_account.business.link_ports import MailLink
from talelio_backend.app_account.data.link_tokens import JwtLinkTokens
from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.business.identity import Identity
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.fuzz.machines.account_model import (
    AccountModel,
    ModelAccess,
    ModelAccount,
    ModelChange,
    ModelSession,
)
from tests.support import account_use_cases as use_cases
from tests.support.samples import ORIGIN
from tests.support.served_api import SECRET_KEY

EMAILS = ('maker@example.com', 'other@example.com', 'third@example.com')
PASSWORDS = ('correct horse battery', 'another pass phrase')
WRONG = 'not the pass phrase'

_RESET, _CONFIRMATION, _REVOCATION = (
    JwtLinkTokens(purpose, SECRET_KEY) for purpose in ('reset', 'email-confirmation', 'email-revocation')
)
_emails = st.sampled_from(EMAILS)
_passwords = st.sampled_from(PASSWORDS)
_tries = st.sampled_from([*PASSWORDS, *PASSWORDS, WRONG])
# Of something that was given out; mostly one of the last.
_back = st.integers(0, 3) | st.integers(0, 20)


class AccountMachine(RuleBasedStateMachine):
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.model = AccountModel()
        self.uow = FakeUnitOfWork()
        self.tokens = CheckedAccessTokens(use_cases.ACCESS, lambda: FakeUnitOfWork(self.uow.store))
        # Tokens are read by the real clock, and must not be from the future.
        self.now = datetime.now(UTC) - timedelta(minutes=12)
        self.accounts: list[ModelAccount] = []
        # All that was ever given out, good or not any more.
        self.verifications: list[tuple[ModelAccount, str, str]] = []
        self.access: list[tuple[str, ModelAccess]] = []
        self.refreshes: list[tuple[str, str, ModelSession]] = []
        self.resets: list[tuple[str, ModelAccount, str, int]] = []
        self.changes: list[ModelChange] = []

    @initialize(email=_emails)
    def begin(self, email: str) -> None:
        self.register(email, PASSWORDS[0])
        self.verify(0)
        self.log_in(email, PASSWORDS[0])

    @rule(email=_emails, password=_passwords)
    def register(self, email: str, password: str) -> None:
        username = email.partition('@')[0]
        expected = self.model.register(email, username)
        made = self._try(
            expected, lambda: use_cases.register(
                self.uow,
                email=email,
                password=password,
                username=username,
                whitelist=EMAILS,
                now=self.now,
            )
        )
        if made is not None:
            account = ModelAccount(made.id, email, username, password)
            self.model.accounts.append(account)
            self.accounts.append(account)
            self.verifications.append((account, email, use_cases.token_for(made)))

    @rule(back=_back)
    def verify(self, back: int) -> None:
        account, email, token = _pick(self.verifications, back)
        expected = self.model.verify(account, email)
        self._try(expected, lambda: use_cases.verify(self.uow, token))

    @rule(email=_emails, password=_tries)
    def log_in(self, email: str, password: str) -> None:
        expected = self.model.log_in(email, password)
        grant = self._try(
            expected, lambda: use_cases.log_in(self.uow, email=email, password=password, now=self.now)
        )
        if grant is not None:
            account = self.model.holder(email)
            assert account is not None
            secret = use_cases.REFRESH.read(grant.refresh_token)
            session = ModelSession(secret.session_id, account, [secret.secret])
            self.model.sessions.append(session)
            self._keep(grant, session)

    @rule()
    def wait(self) -> None:
        self.now += timedelta(seconds=11)

    @rule(back=_back)
    def refresh(self, back: int) -> None:
        """Also a token that was exchanged before."""
        if not self.refreshes:
            return
        token, secret, session = _pick(self.refreshes, back)
        expected = self.model.refresh(session, secret, self.now)
        grant = self._try(
            expected, lambda: sessions.refresh(
                self.uow,
                use_cases.TOKENS,
                token=token,
                client=use_cases.CLIENT,
                origin=ORIGIN,
                now=self.now,
            )
        )
        if grant is not None:
            handed_out = use_cases.REFRESH.read(grant.refresh_token).secret
            if secret == session.secrets[-1] and not self.model.in_grace(session, self.now):
                assert handed_out not in session.secrets
                session.secrets.append(handed_out)
                session.rotated_at = self.now
            assert handed_out == session.secrets[-1]
            self._keep(grant, session)

    @rule(back=_back)
    def log_out(self, back: int) -> None:
        if not self.refreshes:
            return
        token, _, session = _pick(self.refreshes, back)
        self.model.sessions = [each for each in self.model.sessions if each is not session]
        sessions.log_out(self.uow, use_cases.REFRESH, token=token, origin=ORIGIN, now=self.now)

    @rule(back=_back)
    def log_out_everywhere(self, back: int) -> None:
        if not self.access:
            return
        token, about = _pick(self.access, back)
        expected = self.model.access(about)
        self._try(
            expected, lambda: sessions.
            log_out_everywhere(self.uow, self.tokens.read(token), origin=ORIGIN, now=self.now)
        )
        if expected is None:
            self.model.log_out_everywhere(about.account)

    @rule(back=_back, current=_tries, new=_passwords)
    def change_password(self, back: int, current: str, new: str) -> None:
        if not self.access:
            return
        token, about = _pick(self.access, back)
        expected = self.model.prove(about, current)
        access_token = self._try(
            expected, lambda: own_account.change_password(
                self.uow,
                FakeHasher(),
                self.tokens,
                self.tokens.read(token),
                common_passwords=(),
                current=current,
                new=new,
                origin=ORIGIN,
                now=self.now,
            )
        )
        if access_token is not None:
            self.model.replace_password(about.account, new, about.session)
            self.access.append((access_token, ModelAccess(about.account, about.session, about.account.epoch)))

    @rule(back=_back)
    def forget_password(self, back: int) -> None:
        account = _pick(self.accounts, back)
        link = MailLink(account.id, account.email, account.epoch)
        self.resets.append((_RESET.issue(link, self.now), account, account.email, account.epoch))

    @rule(back=_back, password=_passwords)
    def reset_password(self, back: int, password: str) -> None:
        if not self.resets:
            return
        token, account, email, epoch = _pick(self.resets, back)
        expected = self.model.reset(account, email, epoch, password)
        self._try(
            expected, lambda: recovery.reset_password(
                self.uow,
                FakeHasher(),
                _RESET,
                common_passwords=(),
                token=token,
                password=password,
                origin=ORIGIN,
                now=self.now,
            )
        )

    @rule(back=_back, email=_emails, password=_tries)
    def request_email_change(self, back: int, email: str, password: str) -> None:
        if not self.access:
            return
        token, about = _pick(self.access, back)
        expected = self.model.prove(about, password)
        self._try(
            expected, lambda: email_changes.request(
                self.uow,
                FakeHasher(),
                self.tokens.read(token),
                whitelist=EMAILS,
                email=email,
                password=password,
                origin=ORIGIN,
                now=self.now,
            )
        )
        if expected is None:
            self.model.request_change(about.account)
            if email != about.account.email:
                made = max(self.uow.store.email_changes)
                change = ModelChange(made, about.account, about.account.email, email)
                self.model.changes.append(change)
                self.changes.append(change)

    @rule(back=_back)
    def confirm_email_change(self, back: int) -> None:
        if not self.changes:
            return
        change = _pick(self.changes, back)
        token = _CONFIRMATION.issue(MailLink(change.account.id, change.new, change.id), self.now)
        expected = self.model.confirm(change)
        self._try(
            expected,
            lambda: email_changes.confirm(self.uow, _CONFIRMATION, token=token, origin=ORIGIN, now=self.now)
        )

    @rule(back=_back)
    def revoke_email_change(self, back: int) -> None:
        if not self.changes:
            return
        change = _pick(self.changes, back)
        token = _REVOCATION.issue(MailLink(change.account.id, change.old, change.id), self.now)
        expected = self.model.revoke(change)
        self._try(
            expected,
            lambda: email_changes.revoke(self.uow, _REVOCATION, token=token, origin=ORIGIN, now=self.now)
        )

    @rule(back=_back, password=_tries)
    def delete(self, back: int, password: str) -> None:
        if not self.access:
            return
        token, about = _pick(self.access, back)
        expected = self.model.prove(about, password)
        self._try(
            expected, lambda: own_account.delete(
                self.uow,
                FakeHasher(),
                lambda user_id, keys: None,
                self.tokens.read(token),
                password=password,
                origin=ORIGIN,
                now=self.now,
            )
        )
        if expected is None:
            self.model.delete(about.account)

    @invariant()
    def lets_in_who_is_let_in_and_nobody_else(self) -> None:
        type(self).steps += 1
        self.now += timedelta(seconds=1)
        for token, about in self.access:
            account = self._try(self.model.access(about), partial(self._show, token))
            if account is not None:
                assert (account.email, account.user.username) == (about.account.email, about.account.username)
        for each in self.model.accounts:
            own = {session.id for session in self.model.sessions if session.account is each}
            shown = sessions.list_own(self.uow, Identity(each.id), self.now)
            assert {session.id for session in shown} == own
        assert self.uow.store.accounts.keys() == {account.id for account in self.model.accounts}
        assert self.uow.store.email_changes.keys() == {change.id for change in self.model.changes}

    def _show(self, token: str) -> Account:
        return own_account.show(self.uow, self.tokens.read(token))

    def _keep(self, grant: Any, session: ModelSession) -> None:
        secret = use_cases.REFRESH.read(grant.refresh_token).secret
        self.refreshes.append((grant.refresh_token, secret, session))
        about = ModelAccess(session.account, session, session.account.epoch)
        self.access.append((grant.access_token, about))

    def _try(self, expected: str | None, use_case: Callable[[], Any]) -> Any:
        """Return what the use case returns, or None where it raises what is expected."""
        try:
            result = use_case()
        except BusinessError as error:
            assert error.message == expected
            return None
        assert expected is None, expected
        return result


def _pick(given_out: list[Any], back: int) -> Any:
    return given_out[-1 - back % len(given_out)]
