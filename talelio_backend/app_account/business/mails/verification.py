from collections.abc import Callable, Mapping
from datetime import datetime

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.mails.templates import Wording, write
from talelio_backend.app_account.business.ports.accounts import (
    AccountUnitOfWork,
    VerificationLink,
    VerificationTokens,
)
from talelio_backend.shared.mail.business.message import Mail
from talelio_backend.shared.mail.business.outbox import Outbox, OutboxMail

VERIFICATION_MAIL = 'verification'

_WORDING = Wording(
    subject='Confirm your e-mail address for {site}',
    before=(
        'somebody, we hope you, registered at {site} with this e-mail address and the username {username}.',
        'To confirm that the address is yours, open this link within 24 hours:',
    ),
    after=(
        'If it was not you, do not open the link, and nothing more happens: as long as the address is not '
        'confirmed, nobody can log in with it. If you want the account for yourself, choose an own password '
        'instead of opening the link:',
        "curl -X POST '{link}' -H 'Content-Type: application/json' "
        """-d '{{"password": "<yours>", "username": "<yours>"}}'""",
    ),
    action='Confirm my e-mail address',
)


def queue_verification_mail(outbox: Outbox, account: Account, now: datetime) -> None:
    payload = {'account_id': account.id, 'serial': account.link_serial}
    outbox.add(OutboxMail.queue(VERIFICATION_MAIL, payload, now))


class VerificationMailComposer:
    """See `shared.mail.business.relay.Composer`. The token is made here, so no token is ever stored."""

    def __init__(
        self,
        unit_of_work: Callable[[], AccountUnitOfWork],
        tokens: VerificationTokens,
        *,
        api_base_url: str,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._tokens = tokens
        self._api_base_url = api_base_url

    def __call__(self, payload: Mapping[str, int], now: datetime) -> Mail | None:
        with self._unit_of_work() as uow:
            account = uow.accounts.get(payload['account_id'])
        if account is None or account.verified or account.link_serial != payload['serial']:
            return None
        link = VerificationLink(account.id, account.email, account.link_serial)
        return write(
            _WORDING,
            to=account.email,
            username=account.user.username,
            link=f'{self._api_base_url}/v1/accounts/verify/{self._tokens.issue(link, now)}',
            site=self._api_base_url.partition('://')[2],
        )
