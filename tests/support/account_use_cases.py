"""Account use cases on fakes, with default arguments."""
from datetime import UTC, datetime
from typing import Any

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.session import Client
from talelio_backend.app_account.business.ports.links import MailLink
from talelio_backend.app_account.business.use_cases import login, registration
from talelio_backend.app_account.business.use_cases.issued_tokens import IssuedTokens, SessionTokens
from talelio_backend.app_account.data.jwt import JwtAccessTokens
from talelio_backend.app_account.data.link_tokens import JwtLinkTokens
from talelio_backend.app_account.data.refresh_tokens import JwtRefreshTokens
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import ORIGIN
from tests.support.served_api import SECRET_KEY

NOW = datetime.now(UTC)
EMAIL = 'maker@example.com'
PASSWORD = 'correct horse battery'
ACCESS = JwtAccessTokens(SECRET_KEY)
REFRESH = JwtRefreshTokens(SECRET_KEY)
TOKENS = SessionTokens(access=ACCESS, refresh=REFRESH)
CLIENT = Client(device='Firefox on Linux', address='192.0.2.1')
VERIFICATION = JwtLinkTokens('verification', SECRET_KEY)


def register(uow: FakeUnitOfWork, hasher: FakeHasher | None = None, **changes: Any) -> Account:
    arguments = {
        'email': EMAIL,
        'password': PASSWORD,
        'username': 'maker',
        'whitelist': {EMAIL, 'other@example.com'},
        'actor': ORIGIN,
        'now': NOW,
        **changes
    }
    return registration.register(
        uow,
        hasher or FakeHasher(),
        common_passwords={'password'},
        **arguments,
    )


def token_for(account: Account, **changes: Any) -> str:
    link = {'account_id': account.id, 'email': account.email, 'serial': 1, **changes}
    return VERIFICATION.issue(MailLink(**link), NOW)


def verify(uow: FakeUnitOfWork, token: str) -> Account:
    return registration.verify(uow, VERIFICATION, token=token, actor=ORIGIN, now=NOW)


def register_verified(uow: FakeUnitOfWork, **changes: Any) -> Account:
    return verify(uow, token_for(register(uow, **changes)))


def log_in(
    uow: FakeUnitOfWork,
    hasher: FakeHasher | None = None,
    *,
    email: str = EMAIL,
    password: str = PASSWORD,
    now: datetime = NOW
) -> IssuedTokens:
    return login.log_in(
        uow,
        hasher or FakeHasher(),
        TOKENS,
        email=email,
        password=password,
        client=CLIENT,
        actor=ORIGIN,
        now=now,
    )
