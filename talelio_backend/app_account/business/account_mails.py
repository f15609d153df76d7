"""The mails about an account, save the one that verifies it; written when they are sent."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape

from talelio_backend.app_account.business.email_change import EmailChange
from talelio_backend.app_account.business.link_ports import EmailChangeUnitOfWork, LinkTokens, MailLink
from talelio_backend.shared.business.mail import Mail
from talelio_backend.shared.business.outbox import Outbox, OutboxMail

PASSWORD_RESET_MAIL = 'password_reset'
PASSWORD_CHANGED_MAIL = 'password_changed'
EMAIL_CONFIRMATION_MAIL = 'email_confirmation'
EMAIL_ANNOUNCEMENT_MAIL = 'email_announcement'


def queue_account_mail(outbox: Outbox, kind: str, account_id: int, now: datetime, *, epoch: int = 0) -> None:
    outbox.add(OutboxMail.queue(kind, {'account_id': account_id, 'epoch': epoch}, now))


def queue_change_mail(outbox: Outbox, kind: str, change: EmailChange, now: datetime) -> None:
    outbox.add(OutboxMail.queue(kind, {'account_id': change.account_id, 'change_id': change.id}, now))


@dataclass(frozen=True, kw_only=True)
class Wording:
    subject: str
    paragraphs: tuple[str, ...]
    # What stands on the link.
    action: str


RESET = Wording(
    subject='Choose a new password for {site}',
    paragraphs=(
        'somebody, we hope you, asked for a new password of the account {username} at {site}.',
        'To choose one, open this link within an hour:',
        'If it was not you, do nothing: the password stays as it is.',
    ),
    action='Choose a new password',
)
CHANGED = Wording(
    subject='Your password for {site} was changed',
    paragraphs=(
        'the password of the account {username} at {site} was changed, and other devices were logged out.',
        'This is where the site is:',
        'If it was not you, ask for a new password there at once.',
    ),
    action='{site}',
)
CONFIRMATION = Wording(
    subject='Confirm your new e-mail address for {site}',
    paragraphs=(
        'the account {username} at {site} is to have this e-mail address from now on.',
        'To confirm that the address is yours, open this link within 24 hours:',
        'If it was not you, do nothing: the address stays as it is.',
    ),
    action='Confirm my new e-mail address',
)
ANNOUNCEMENT = Wording(
    subject='Your e-mail address for {site} is being changed',
    paragraphs=(
        'somebody, we hope you, asked that the account {username} at {site} have another e-mail address.',
        'If it was not you, open this link within seven days. It gives the account back to this address, '
        'also after the change; all devices are logged out, and you choose a new password:',
        'If it was you, do nothing.',
    ),
    action='Take the change back',
)

_HTML = '''\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{subject}</title></head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 36em; margin: 2em auto; padding: 0 1em">
<p>Hello,</p>
<p>{0}</p>
<p>{1}</p>
<p><a href="{link}">{action}</a></p>
<p>If the link does not open, copy this address into your browser:<br>
<span style="word-break: break-all">{link}</span></p>
<p>{2}</p>
<p style="color: #666">This message was sent automatically by {site}.</p>
</body>
</html>
'''


def write(wording: Wording, *, to: str, username: str, link: str, site: str) -> Mail:
    words = {'site': site, 'username': username}
    subject = wording.subject.format_map(words)
    paragraphs = [paragraph.format_map(words) for paragraph in wording.paragraphs]
    closing = f'This message was sent automatically by {site}.'
    safe = {'subject': subject, 'link': link, 'site': site, 'action': wording.action.format_map(words)}
    return Mail(
        to=to,
        subject=subject,
        text='\n\n'.join(['Hello,', *paragraphs[:2], link, *paragraphs[2:], closing]) + '\n',
        html=_HTML.format(
            *[escape(paragraph) for paragraph in paragraphs], **{
                name: escape(word)
                for name, word in safe.items()
            }
        ),
        link=link,
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
    """Composers, see `shared.business.mail_relay.Composer`. Tokens are made here, and stored nowhere."""

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
