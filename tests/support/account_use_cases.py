"""Account use cases on fakes, with default arguments."""
from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from talelio_backend.app_account.business.context import AccountContext, AccountPorts
from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.domain.session import Client
from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.business.use_cases import registration, sessions
from talelio_backend.app_account.business.use_cases.sessions import IssuedTokens
from talelio_backend.app_account.data.jwt import JwtAccessTokens, JwtLinkTokens, JwtRefreshTokens
from tests.fakes.ports import FakeHasher
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.samples import ORIGIN
from tests.support.served_api import SECRET_KEY

NOW = datetime.now(UTC)
EMAIL = 'maker@example.com'
PASSWORD = 'correct horse battery'
ACCESS = JwtAccessTokens(SECRET_KEY)
REFRESH = JwtRefreshTokens(SECRET_KEY)
CLIENT = Client(device='Firefox on Linux', address='192.0.2.1')


def free_no_files(_user_id: int, _keys: Sequence[str]) -> None:
    pass


PORTS = AccountPorts(
    hasher=FakeHasher(),
    access_tokens=ACCESS,
    refresh_tokens=REFRESH,
    links={purpose: JwtLinkTokens(purpose, SECRET_KEY)
           for purpose in LinkPurpose},
    whitelist={EMAIL, 'other@example.com'},
    common_passwords={'password', 'iloveyou1'},
    free_files=free_no_files,
)


def context(uow: FakeUnitOfWork, now: datetime = NOW, **ports: Any) -> AccountContext:
    return AccountContext(uow=uow, ports=replace(PORTS, **ports), actor=ORIGIN, now=now)


def register(
    uow: FakeUnitOfWork,
    hasher: FakeHasher | None = None,
    *,
    email: str = EMAIL,
    whitelist: Container[str] = PORTS.whitelist,
    now: datetime = NOW,
    **changes: Any
) -> Account:
    return registration.register(
        context(uow, now, hasher=hasher or FakeHasher(), whitelist=whitelist),
        **{
            'email': EmailAddress(email),
            'password': PASSWORD,
            'username': 'maker',
            **changes
        },
    )


def token_for(account: Account, **changes: Any) -> str:
    link = {'account_id': account.id, 'email': account.email, 'serial': 1, **changes}
    return PORTS.links[LinkPurpose.VERIFICATION].issue(MailLink(**link), NOW)


def verify(uow: FakeUnitOfWork, token: str) -> Account:
    return registration.verify(context(uow), token)


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
    arguments = context(uow, now, hasher=hasher or FakeHasher())
    return sessions.log_in(arguments, email=EmailAddress(email), password=password, client=CLIENT)
