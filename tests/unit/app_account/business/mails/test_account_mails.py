from collections.abc import Callable, Mapping
from datetime import datetime

import pytest

from talelio_backend.app_account.business.mails.account_mails import AccountMails, LinkUrls
from talelio_backend.app_account.business.ports import LinkPurpose, LinkTokens, MailLink
from talelio_backend.shared.mail.business.message import Mail
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.account_use_cases import EMAIL, NOW, PORTS, register, register_verified
from tests.support.email_changes import CONFIRMATION, REVOCATION, SECOND, confirm, request_change

API = 'https://api.example.com'
FRONTEND = 'https://example.com'
RESET = PORTS.links[LinkPurpose.RESET]
VERIFICATION = PORTS.links[LinkPurpose.VERIFICATION]
Compose = Callable[[AccountMails, Mapping[str, int], datetime], Mail | None]


def mails(uow: FakeUnitOfWork, frontend_url: str | None = FRONTEND) -> AccountMails:
    return AccountMails(
        unit_of_work=lambda: FakeUnitOfWork(uow.store),
        urls=LinkUrls(api_base_url=API, frontend_url=frontend_url),
        links=PORTS.links,
    )


def prepared() -> tuple[FakeUnitOfWork, dict[str, int]]:
    """Return a payload that is valid for each mail about a pending e-mail change."""
    uow = FakeUnitOfWork()
    account = register_verified(uow)
    return uow, {
        'account_id': account.id,
        'epoch': account.token_epoch,
        'change_id': request_change(uow, account).id
    }


@pytest.mark.parametrize(('compose', 'to', 'tokens', 'serial', 'page', 'path'), [
    (AccountMails.reset, EMAIL, RESET, 'epoch', 'reset-password', 'password/reset'),
    (AccountMails.confirmation, SECOND, CONFIRMATION, 'change_id', 'confirm-email', 'email/confirm'),
    (AccountMails.announcement, EMAIL, REVOCATION, 'change_id', 'revoke-email', 'email/revoke'),
])  # yapf: disable
def test_a_link_leads_to_the_frontend_or_to_the_api_without_one(
    compose: Compose, to: str, tokens: LinkTokens, serial: str, page: str, path: str
) -> None:
    uow, payload = prepared()
    said = MailLink(payload['account_id'], to, payload[serial])

    for frontend_url, begin in ((FRONTEND, f'{FRONTEND}/{page}#'), (None, f'{API}/v1/accounts/{path}/')):
        mail = compose(mails(uow, frontend_url), payload, NOW)
        assert mail is not None
        assert mail.to == to
        assert mail.link.startswith(begin)
        assert tokens.read(mail.link.removeprefix(begin)) == said
        for part in (mail.text, mail.html):
            assert mail.link in part


@pytest.mark.parametrize(('compose', 'subject', 'says'), [
    (AccountMails.reset, 'Choose a new password for example.com', 'within an hour'),
    (AccountMails.changed, 'Your password for example.com was changed', 'ask for a new password there'),
    (AccountMails.confirmation, 'Confirm your new e-mail address for example.com', 'within 24 hours'),
    (AccountMails.announcement, 'Your e-mail address for example.com is being changed', 'within seven days'),
])  # yapf: disable
def test_a_mail_names_the_account_and_the_action(compose: Compose, subject: str, says: str) -> None:
    uow, payload = prepared()

    mail = compose(mails(uow), payload, NOW)

    assert mail is not None and mail.subject == subject
    for part in (mail.text, mail.html):
        assert 'the account maker at example.com' in part
        assert says in part


@pytest.mark.parametrize(('frontend_url', 'home'), [(FRONTEND, FRONTEND), (None, API)])
def test_the_password_notice_links_to_the_site_only(frontend_url: str | None, home: str) -> None:
    uow, payload = prepared()

    mail = mails(uow, frontend_url).changed(payload, NOW)

    assert mail is not None
    assert (mail.to, mail.link) == (EMAIL, home)
    assert home.removeprefix('https://') in mail.subject


@pytest.mark.parametrize(
    'compose',
    [AccountMails.reset, AccountMails.changed, AccountMails.confirmation, AccountMails.announcement]
)
def test_a_deleted_account_gets_no_mail(compose: Compose) -> None:
    uow, payload = prepared()
    with uow:
        account = uow.accounts.get(payload['account_id'])
        assert account is not None
        uow.accounts.delete(account)
        uow.commit()

    assert compose(mails(uow), payload, NOW) is None


@pytest.mark.parametrize('compose', [AccountMails.confirmation, AccountMails.announcement])
def test_a_cancelled_change_gets_no_mail(compose: Compose) -> None:
    uow, payload = prepared()
    uow.store.email_changes.clear()

    assert compose(mails(uow), payload, NOW) is None


def test_an_outdated_reset_link_is_not_sent() -> None:
    uow, payload = prepared()
    uow.store.accounts[payload['account_id']].revoke_access_tokens()

    assert mails(uow).reset(payload, NOW) is None


def test_a_confirmed_change_gets_a_notice_but_no_confirmation_link() -> None:
    uow, payload = prepared()
    confirm(uow, uow.store.email_changes[payload['change_id']])
    # So that the taken address is not the reason.
    uow.store.accounts[payload['account_id']].change_email('third@example.com', NOW)

    assert mails(uow).confirmation(payload, NOW) is None
    assert mails(uow).announcement(payload, NOW) is not None


def test_an_address_of_another_account_gets_no_confirmation_link() -> None:
    uow, payload = prepared()
    register_verified(uow, email=SECOND, username='owner', whitelist={SECOND})

    assert mails(uow).confirmation(payload, NOW) is None
    assert mails(uow).announcement(payload, NOW) is not None


@pytest.mark.parametrize(('frontend_url', 'site', 'begin', 'recovery'), [
    (FRONTEND, 'example.com', f'{FRONTEND}/verify-email#', f'\n{FRONTEND}\n'),
    (
        None, 'api.example.com', f'{API}/v1/accounts/verify/',
        f"curl -X POST '{API}/v1/accounts/password/forgot'"
    ),
])
def test_the_verification_mail_links_to_the_frontend_or_to_the_api_without_one(
    frontend_url: str | None, site: str, begin: str, recovery: str
) -> None:
    uow = FakeUnitOfWork()
    account = register(uow)

    mail = mails(uow, frontend_url).verification({'account_id': account.id, 'serial': 1}, NOW)

    assert mail is not None
    assert (mail.to, mail.subject) == (EMAIL, f'Confirm your e-mail address for {site}')
    assert mail.link.startswith(begin)
    token = mail.link.removeprefix(begin)
    assert VERIFICATION.read(token) == MailLink(account.id, EMAIL, 1)
    for part in (mail.text, mail.html):
        assert mail.link in part
        assert 'maker' in part
        assert '24 hours' in part
        assert 'The person who registered chose the password' in part
    assert recovery in mail.text
    # A scanner opens each address that it finds, so there is no second one with the token.
    assert mail.text.count(token) == 1


@pytest.mark.parametrize(('wrong_id', 'wrong_serial', 'verified'), [(1, 0, False), (0, 1, False),
                                                                    (0, 0, True)])
def test_no_verification_mail_without_a_current_link_of_an_unverified_account(
    wrong_id: int, wrong_serial: int, verified: bool
) -> None:
    uow = FakeUnitOfWork()
    account = register(uow)
    uow.store.accounts[account.id].verified = verified

    payload = {'account_id': account.id + wrong_id, 'serial': 1 - wrong_serial}
    assert mails(uow).verification(payload, NOW) is None
