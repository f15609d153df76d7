"""Mails about an account. The relay composes them when it sends them."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_change import EmailChange
from talelio_backend.app_account.business.mails import wordings
from talelio_backend.app_account.business.mails.templates import Wording, write
from talelio_backend.app_account.business.ports import AccountUnitOfWork, LinkPurpose, LinkTokens, MailLink
from talelio_backend.shared.mail.business.message import Mail
from talelio_backend.shared.mail.business.outbox import Outbox, OutboxMail

VERIFICATION_MAIL = 'verification'
PASSWORD_RESET_MAIL = 'password_reset'
PASSWORD_CHANGED_MAIL = 'password_changed'
EMAIL_CONFIRMATION_MAIL = 'email_confirmation'
EMAIL_ANNOUNCEMENT_MAIL = 'email_announcement'


def queue_verification_mail(outbox: Outbox, account: Account, now: datetime) -> None:
    payload = {'account_id': account.id, 'serial': account.link_serial}
    outbox.add(OutboxMail.queue(VERIFICATION_MAIL, payload, now))


def queue_account_mail(outbox: Outbox, kind: str, account_id: int, now: datetime, *, epoch: int = 0) -> None:
    outbox.add(OutboxMail.queue(kind, {'account_id': account_id, 'epoch': epoch}, now))


def queue_change_mail(outbox: Outbox, kind: str, change: EmailChange, now: datetime) -> None:
    outbox.add(OutboxMail.queue(kind, {'account_id': change.account_id, 'change_id': change.id}, now))


@dataclass(frozen=True, kw_only=True)
class LinkUrls:
    """Builds links to the frontend's pages, or to the API if there is no frontend.

    Frontend links carry the token in the fragment, which browsers send neither to the server nor as referrer.
    """

    api_base_url: str
    frontend_url: str | None

    @property
    def site(self) -> str:
        return (self.frontend_url or self.api_base_url).partition('://')[2]

    @property
    def home(self) -> str:
        return self.frontend_url or self.api_base_url

    def build(self, page: str, api_path: str, token: str) -> str:
        if self.frontend_url is not None:
            return f'{self.frontend_url}/{page}#{token}'
        return self.build_api(api_path, token)

    def build_api(self, api_path: str, token: str) -> str:
        return f'{self.api_base_url}/v1/accounts/{api_path}/{token}'


@dataclass(frozen=True, kw_only=True)
class AccountMails:
    """Composers, see `shared.mail.business.relay.Composer`. The tokens in the links are never stored."""

    unit_of_work: Callable[[], AccountUnitOfWork]
    urls: LinkUrls
    links: Mapping[LinkPurpose, LinkTokens]

    def verification(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        with self.unit_of_work() as uow:
            account = uow.accounts.get(payload['account_id'])
        if account is None or account.verified or account.link_serial != payload['serial']:
            return None
        link = MailLink(account.id, account.email, account.link_serial)
        token = self.links[LinkPurpose.VERIFICATION].issue(link, now)
        return self._write(
            wordings.VERIFICATION,
            account.email,
            account.user.username,
            self.urls.build('verify-email', 'verify', token),
            claim_url=self.urls.build_api('verify', token),
        )

    def reset(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        with self.unit_of_work() as uow:
            account = uow.accounts.get(payload['account_id'])
        if account is None or account.token_epoch != payload['epoch']:
            return None
        link = self.urls.build(
            'reset-password', 'password/reset', self.links[
                LinkPurpose.RESET].issue(MailLink(account.id, account.email, account.token_epoch), now)
        )
        return self._write(wordings.RESET, account.email, account.user.username, link)

    def changed(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        del now  # This mail carries no token.
        with self.unit_of_work() as uow:
            account = uow.accounts.get(payload['account_id'])
        if account is None:
            return None
        return self._write(wordings.CHANGED, account.email, account.user.username, self.urls.home)

    def confirmation(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        with self.unit_of_work() as uow:
            account = uow.accounts.get(payload['account_id'])
            change = uow.email_changes.get(payload['change_id'])
            taken = change is not None and uow.accounts.get_by_email(change.new_email) is not None
        if account is None or change is None or change.confirmed_at is not None or taken:
            return None
        link = self.urls.build(
            'confirm-email', 'email/confirm', self.links[
                LinkPurpose.EMAIL_CONFIRMATION].issue(MailLink(account.id, change.new_email, change.id), now)
        )
        return self._write(wordings.CONFIRMATION, change.new_email, account.user.username, link)

    def announcement(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        with self.unit_of_work() as uow:
            account = uow.accounts.get(payload['account_id'])
            change = uow.email_changes.get(payload['change_id'])
        if account is None or change is None:
            return None
        link = self.urls.build(
            'revoke-email', 'email/revoke', self.links[
                LinkPurpose.EMAIL_REVOCATION].issue(MailLink(account.id, change.old_email, change.id), now)
        )
        return self._write(wordings.ANNOUNCEMENT, change.old_email, account.user.username, link)

    def _write(self, wording: Wording, to: str, username: str, link: str, **words: str) -> Mail:
        return write(wording, to=to, username=username, link=link, site=self.urls.site, **words)
