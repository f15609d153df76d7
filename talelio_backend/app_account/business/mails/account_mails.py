"""Mails about an account. The relay composes them when it sends them."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account, EmailChange
from talelio_backend.app_account.business.mails import templates
from talelio_backend.app_account.business.mails.templates import MailTemplate
from talelio_backend.app_account.business.ports import AccountUnitOfWork, LinkPurpose, LinkTokens, MailLink
from talelio_backend.shared.mail.business.message import Mail
from talelio_backend.shared.mail.business.outbox import OutboxMail

VERIFICATION_MAIL = 'verification'
PASSWORD_RESET_MAIL = 'password_reset'
PASSWORD_CHANGED_MAIL = 'password_changed'
EMAIL_CONFIRMATION_MAIL = 'email_confirmation'
EMAIL_ANNOUNCEMENT_MAIL = 'email_announcement'

# The frontend's pages.
_PAGES = {
    LinkPurpose.VERIFICATION: 'verify-email',
    LinkPurpose.RESET: 'reset-password',
    LinkPurpose.EMAIL_CONFIRMATION: 'confirm-email',
    LinkPurpose.EMAIL_REVOCATION: 'revoke-email',
}
_API_PATHS = {
    LinkPurpose.VERIFICATION: 'verify',
    LinkPurpose.RESET: 'password/reset',
    LinkPurpose.EMAIL_CONFIRMATION: 'email/confirm',
    LinkPurpose.EMAIL_REVOCATION: 'email/revoke',
}


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

    @property
    def recovery(self) -> str:
        """Where, or how, one asks for a new password."""
        return self.frontend_url or (
            f"curl -X POST '{self.api_base_url}/v1/accounts/password/forgot' "
            """-H 'Content-Type: application/json' -d '{"email": "<this address>"}'"""
        )

    def build(self, purpose: LinkPurpose, token: str) -> str:
        if self.frontend_url is not None:
            return f'{self.frontend_url}/{_PAGES[purpose]}#{token}'
        return f'{self.api_base_url}/v1/accounts/{_API_PATHS[purpose]}/{token}'


@dataclass(frozen=True, kw_only=True)
class AccountMails:
    """Composers, see `shared.mail.business.relay.Composer`. The tokens in the links are never stored."""

    unit_of_work: Callable[[], AccountUnitOfWork]
    urls: LinkUrls
    links: Mapping[LinkPurpose, LinkTokens]

    def verification(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        account, _ = self._find(payload)
        if account is None or account.verified or account.link_serial != payload['serial']:
            return None
        link = MailLink(account.id, account.email, account.link_serial)
        return self._render(templates.VERIFICATION, account, link, LinkPurpose.VERIFICATION, now)

    def reset(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        account, _ = self._find(payload)
        if account is None or account.token_epoch != payload['epoch']:
            return None
        link = MailLink(account.id, account.email, account.token_epoch)
        return self._render(templates.RESET, account, link, LinkPurpose.RESET, now)

    def changed(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        del now  # This mail carries no token.
        account, _ = self._find(payload)
        if account is None:
            return None
        return templates.CHANGED.render(
            to=account.email, username=account.user.username, link=self.urls.home, site=self.urls.site
        )

    def confirmation(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        account, change = self._find(payload)
        if account is None or change is None or change.confirmed_at is not None:
            return None
        with self.unit_of_work() as uow:
            if uow.accounts.get_by_email(change.new_email) is not None:
                return None
        link = MailLink(account.id, change.new_email, change.id)
        return self._render(templates.CONFIRMATION, account, link, LinkPurpose.EMAIL_CONFIRMATION, now)

    def announcement(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        account, change = self._find(payload)
        if account is None or change is None:
            return None
        link = MailLink(account.id, change.old_email, change.id)
        return self._render(templates.ANNOUNCEMENT, account, link, LinkPurpose.EMAIL_REVOCATION, now)

    def _find(self, payload: Mapping[str, int]) -> tuple[Account | None, EmailChange | None]:
        with self.unit_of_work() as uow:
            change = uow.email_changes.get(payload['change_id']) if 'change_id' in payload else None
            return uow.accounts.get(payload['account_id']), change

    def _render(
        self, template: MailTemplate, account: Account, link: MailLink, purpose: LinkPurpose, now: datetime
    ) -> Mail:
        token = self.links[purpose].issue(link, now)
        return template.render(
            to=link.email,
            username=account.user.username,
            link=self.urls.build(purpose, token),
            recovery=self.urls.recovery,
            site=self.urls.site,
        )


class MailRequests:
    """Composers that queue the requested mail, if there is one to send, and send nothing themselves.

    `password_recovery.request_by_mail` writes the requests. If the relay repeats one after a crash, the pause
    between links prevents a second mail.
    """

    def __init__(self, unit_of_work: Callable[[], AccountUnitOfWork]) -> None:
        self._unit_of_work = unit_of_work

    def reset(self, payload: Mapping[str, int], now: datetime) -> None:
        with self._unit_of_work() as uow:
            account = uow.accounts.get_for_update(payload['account_id'])
            if account is not None and account.request_reset(now):
                wanted = {'account_id': account.id, 'epoch': account.token_epoch}
                uow.outbox.add(OutboxMail.queue(PASSWORD_RESET_MAIL, wanted, now))
                uow.commit()

    def verification(self, payload: Mapping[str, int], now: datetime) -> None:
        with self._unit_of_work() as uow:
            account = uow.accounts.get_for_update(payload['account_id'])
            if account is not None and account.renew_link(now):
                wanted = {'account_id': account.id, 'serial': account.link_serial}
                uow.outbox.add(OutboxMail.queue(VERIFICATION_MAIL, wanted, now))
                uow.commit()
