from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape

from talelio_backend.app_account.business.account import Account
from talelio_backend.app_account.business.ports import AccountUnitOfWork, VerificationLink, VerificationTokens
from talelio_backend.shared.business.mail import Mail
from talelio_backend.shared.business.outbox import Outbox, OutboxMail

VERIFICATION_MAIL = 'verification'

_SUBJECT = 'Confirm your e-mail address for {site}'

_TEXT = '''\
Hello,

somebody, we hope you, registered at {site} with this e-mail address and the username {username}.

To confirm that the address is yours, open this link within 24 hours:

{link}

If it was not you, do not open the link, and nothing more happens: as long as the address is not
confirmed, nobody can log in with it. If you want the account for yourself, choose an own password
instead of opening the link:

curl -X POST '{link}' -H 'Content-Type: application/json' \\
     -d '{{"password": "<yours>", "username": "<yours>"}}'

This message was sent automatically by {site}.
'''

_HTML = '''\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{subject}</title></head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 36em; margin: 2em auto; padding: 0 1em">
<p>Hello,</p>
<p>somebody, we hope you, registered at {site} with this e-mail address and the username
<strong>{username}</strong>.</p>
<p>To confirm that the address is yours, open this link within 24 hours:</p>
<p><a href="{link}">Confirm my e-mail address</a></p>
<p>If the link does not open, copy this address into your browser:<br>
<span style="word-break: break-all">{link}</span></p>
<p>If it was not you, do not open the link, and nothing more happens: as long as the address is not
confirmed, nobody can log in with it. The plain-text part of this message says how to take the account
over.</p>
<p style="color: #666">This message was sent automatically by {site}.</p>
</body>
</html>
'''


def queue_verification_mail(outbox: Outbox, account: Account, now: datetime) -> None:
    payload = {'account_id': account.id, 'serial': account.link_serial}
    outbox.add(OutboxMail.queue(VERIFICATION_MAIL, payload, now))


class VerificationMailComposer:
    """See `shared.business.mail_relay.Composer`. The token is made here, so no token is ever stored."""

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
        return _write(
            account,
            link=f'{self._api_base_url}/v1/accounts/verify/{self._tokens.issue(link, now)}',
            site=self._api_base_url.partition('://')[2],
        )


def _write(account: Account, *, link: str, site: str) -> Mail:
    subject = _SUBJECT.format(site=site)
    words = {'subject': subject, 'site': site, 'link': link, 'username': account.user.username}
    return Mail(
        to=account.email,
        subject=subject,
        text=_TEXT.format_map(words),
        html=_HTML.format_map({
            name: escape(word)
            for name, word in words.items()
        }),
        link=link,
    )
