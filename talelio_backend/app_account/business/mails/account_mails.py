"""The mails about an account, save the one that verifies it; written when they are sent."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from talelio_backend.app_account.business.domain.email_change import EmailChange
from talelio_backend.app_account.business.mails.templates import Wording, write
from talelio_backend.app_account.business.ports.links import EmailChangeUnitOfWork, LinkTokens, MailLink
from talelio_backend.shared.mail.business.message import Mail
from talelio_backend.shared.mail.business.outbox import Outbox, OutboxMail

PASSWORD_RESET_MAIL = 'password_reset'
PASSWORD_CHANGED_MAIL = 'password_changed'
EMAIL_CONFIRMATION_MAIL = 'email_confirmation'
EMAIL_ANNOUNCEMENT_MAIL = 'email_announcement'


def queue_account_mail(outbox: Outbox, kind: str, account_id: int, now: datetime, *, epoch: int = 0) -> None:
    outbox.add(OutboxMail.queue(kind, {'account_id': account_id, 'epoch': epoch}, now))


def queue_change_mail(outbox: Outbox, kind: str, change: EmailChange, now: datetime) -> None:
    outbox.add(OutboxMail.queue(kind, {'account_id': change.account_id, 'change_id': change.id}, now))


RESET = Wording(
    subject='Choose a new password for {site}',
    before=(
        'somebody, we hope you, asked for a new password of the account {username} at {site}.',
        'To choose one, open this link within an hour:',
    ),
    after=('If it was not you, do nothing: the password stays as it is.', ),
    action='Choose a new password',
)
CHANGED = Wording(
    subject='Your password for {site} was changed',
    before=(
        'the password of the account {username} at {site} was changed, and other devices were logged out.',
        'This is where the site is:',
    ),
    after=('If it was not you, ask for a new password there at once.', ),
    action='{site}',
)
CONFIRMATION = Wording(
    subject='Confirm your new e-mail address for {site}',
    before=(
        'the account {username} at {site} is to have this e-mail address from now on.',
        'To confirm that the address is yours, open this link within 24 hours:',
    ),
    after=('If it was not you, do nothing: the address stays as it is.', ),
    action='Confirm my new e-mail address',
)
ANNOUNCEMENT = Wording(
    subject='Your e-mail address for {site} is being changed',
    before=(
        'somebody, we hope you, asked that the account {username} at {site} have another e-mail address.',
        'If it was not you, open this link within seven days. It gives the account back to this address, '
        'also after the change; all devices are logged out, and you choose a new password:',
    ),
    after=('If it was you, do nothing.', ),
    action='Take the change back',
)


@dataclass(frozen=True, kw_only=True)
class LinkPages:
    """Where the links of mails lead: to the frontend's pages, or else to the API itself.

    The token stands in the fragment, which no browser sends to a server or names as a referrer.
    """

    api_base_url: str
    frontend_url: str | None

    @property
    def site(self) -> str:
        return (self.frontend_url or self.api_base_url).partition('://')[2]

    @property
    def home(self) -> str:
        return self.frontend_url or self.api_base_url

    def link(self, page: str, api_path: str, token: str) -> str:
        if self.frontend_url is not None:
            return f'{self.frontend_url}/{page}#{token}'
        return f'{self.api_base_url}/v1/accounts/{api_path}/{token}'


@dataclass(frozen=True, kw_only=True)
class AccountMails:
    """Composers, see `shared.mail.business.relay.Composer`. Tokens are made here, and stored nowhere."""

    unit_of_work: Callable[[], EmailChangeUnitOfWork]
    pages: LinkPages
    reset_tokens: LinkTokens
    confirmation_tokens: LinkTokens
    revocation_tokens: LinkTokens

    def reset(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        with self.unit_of_work() as uow:
            account = uow.accounts.get(payload['account_id'])
        if account is None or account.token_epoch != payload['epoch']:
            return None
        link = self.pages.link(
            'reset-password', 'password/reset',
            self.reset_tokens.issue(MailLink(account.id, account.email, account.token_epoch), now)
        )
        return self._write(RESET, account.email, account.user.username, link)

    def changed(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        del now  # Nothing in it is signed.
        with self.unit_of_work() as uow:
            account = uow.accounts.get(payload['account_id'])
        if account is None:
            return None
        return self._write(CHANGED, account.email, account.user.username, self.pages.home)

    def confirmation(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        with self.unit_of_work() as uow:
            account = uow.accounts.get(payload['account_id'])
            change = uow.email_changes.get(payload['change_id'])
            taken = change is not None and uow.accounts.get_by_email(change.new_email) is not None
        if account is None or change is None or change.confirmed_at is not None or taken:
            return None
        link = self.pages.link(
            'confirm-email', 'email/confirm',
            self.confirmation_tokens.issue(MailLink(account.id, change.new_email, change.id), now)
        )
        return self._write(CONFIRMATION, change.new_email, account.user.username, link)

    def announcement(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        with self.unit_of_work() as uow:
            account = uow.accounts.get(payload['account_id'])
            change = uow.email_changes.get(payload['change_id'])
        if account is None or change is None:
            return None
        link = self.pages.link(
            'revoke-email', 'email/revoke',
            self.revocation_tokens.issue(MailLink(account.id, change.old_email, change.id), now)
        )
        return self._write(ANNOUNCEMENT, change.old_email, account.user.username, link)

    def _write(self, wording: Wording, to: str, username: str, link: str) -> Mail:
        return write(wording, to=to, username=username, link=link, site=self.pages.site)
