"""People who use the API."""
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count
from typing import Any

from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.data.jwt import JwtLinkTokens
from tests.support.answers import ok
from tests.support.served_api import SECRET_KEY, ServedApi

_numbers = count(1)

# As many as all tests together need; the server's whitelist is made of them.
WHITELIST = tuple(f'person-{number}@example.com' for number in range(1, 1500))


@dataclass(frozen=True, kw_only=True)
class Person:
    email: str
    username: str
    password: str = 'correct horse battery staple'

    @property
    def registration(self) -> dict[str, str]:
        return {'email': self.email, 'password': self.password, 'username': self.username}

    @property
    def login(self) -> dict[str, str]:
        return {'email': self.email, 'password': self.password}


@dataclass(frozen=True, kw_only=True)
class Member:
    """Somebody with a verified account, who is logged in."""

    person: Person
    account: dict[str, Any]
    token: str = field(repr=False)

    @property
    def bearer(self) -> dict[str, str]:
        return {'Authorization': f'Bearer {self.token}'}

    @property
    def projects_path(self) -> str:
        return f'/v1/users/{self.person.username}/projects'


def new_person() -> Person:
    """Somebody on the whitelist whom no other test knows."""
    number = next(_numbers)
    return Person(email=f'person-{number}@example.com', username=f'Person-{number}')


def register(api: ServedApi, person: Person) -> dict[str, Any]:
    account: dict[str, Any] = ok(api.post('/v1/accounts/register', person.registration), HTTPStatus.CREATED)
    return account


def log_in(api: ServedApi, person: Person) -> str:
    token: str = ok(api.post('/v1/accounts/login', person.login))['access_token']
    return token


def join(api: ServedApi, person: Person | None = None) -> Member:
    """Register, verify without the wait for the mail, and log in."""
    person = person or new_person()
    link = verification_path(register(api, person))
    account = ok(api.get(link))
    return Member(person=person, account=account, token=log_in(api, person))


def verification_path(account: dict[str, Any], *, serial: int = 1, now: datetime | None = None) -> str:
    """The same link as the mail brings."""
    link = MailLink(account['id'], account['email'], serial)
    token = JwtLinkTokens(LinkPurpose.VERIFICATION, SECRET_KEY).issue(link, now or datetime.now(UTC))
    return f'/v1/accounts/verify/{token}'


def publish(api: ServedApi, member: Member, title: str, body: str) -> dict[str, Any]:
    response = api.post('/v1/projects', {'title': title, 'body': body}, headers=member.bearer)
    project: dict[str, Any] = ok(response, HTTPStatus.CREATED)
    return project
