from datetime import UTC, datetime

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.mails.verification import VerificationMailComposer
from talelio_backend.app_account.data.verification_tokens import JwtVerificationTokens
from talelio_backend.app_user.business.user import User
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.served_api import SECRET_KEY

NOW = datetime.now(UTC)
TOKENS = JwtVerificationTokens(SECRET_KEY)


def registered(uow: FakeUnitOfWork) -> Account:
    account = Account.register('maker@example.com', 'hash', User.create('maker', NOW), NOW)
    with uow:
        uow.accounts.add(account)
        uow.commit()
    return account


def composer(uow: FakeUnitOfWork) -> VerificationMailComposer:
    return VerificationMailComposer(lambda: uow, TOKENS, api_base_url='https://api.example.com')


def test_the_mail_says_who_what_and_where() -> None:
    uow = FakeUnitOfWork()
    account = registered(uow)

    mail = composer(uow)({'account_id': account.id, 'serial': 1}, NOW)

    assert mail is not None
    assert mail.to == 'maker@example.com'
    assert mail.subject == 'Confirm your e-mail address for api.example.com'
    base, _, token = mail.link.rpartition('/')
    assert base == 'https://api.example.com/v1/accounts/verify'
    assert TOKENS.read(token).account_id == account.id
    for part in (mail.text, mail.html):
        assert mail.link in part
        assert 'maker' in part
        assert '24 hours' in part


def test_nothing_is_sent_for_an_account_that_is_gone() -> None:
    assert composer(FakeUnitOfWork())({'account_id': 1, 'serial': 1}, NOW) is None


def test_nothing_is_sent_for_an_older_link() -> None:
    uow = FakeUnitOfWork()
    account = registered(uow)

    assert composer(uow)({'account_id': account.id, 'serial': 0}, NOW) is None


def test_nothing_is_sent_for_a_verified_account() -> None:
    uow = FakeUnitOfWork()
    account = registered(uow)
    uow.store.accounts[account.id].verify(NOW)

    assert composer(uow)({'account_id': account.id, 'serial': 1}, NOW) is None
