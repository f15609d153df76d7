"""Guessing is stopped, whoever guesses from wherever; and nobody else is."""
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from requests import Response

from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.business.rate_limit_policies import (
    EMAIL_CHANGE,
    LOGIN,
    PASSWORD_FORGOT,
    PASSWORD_PROOF,
    REGISTRATION,
    VERIFICATION_RESEND,
)
from talelio_backend.app_account.data.jwt import JwtLinkTokens
from talelio_backend.shared.rate_limits.business.limits import Limit
from tests.support.answers import error_of, ok
from tests.support.at_once import at_once
from tests.support.database import copy_of
from tests.support.members import WHITELIST, Member, Person, join, new_person, register, verification_path
from tests.support.served_api import SECRET_KEY, ServedApi

LOGIN_PATH = '/v1/accounts/login'
THREADS = 50


@pytest.fixture(name='proxied', scope='module')
def _proxied(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[ServedApi]:
    """Two workers that take this machine for a proxy, so that requests come from wherever a test likes."""
    environ = {'TRUSTED_PROXIES': '127.0.0.1', 'WHITELISTED_EMAILS': ','.join(WHITELIST)}
    with copy_of(postgres_url) as url:
        with ServedApi(tmp_path_factory.mktemp('proxied'), url, environ) as served:
            yield served


@pytest.fixture(name='owner')
def _owner(proxied: ServedApi) -> Member:
    """Who has logged in from 127.0.0.1."""
    return join(proxied)


def quota(limit: Limit) -> int:
    assert limit.subject is not None
    return limit.subject.quota


def log_in(api: ServedApi, person: Person, address: str, password: str | None = None) -> Response:
    body = {'email': person.email, 'password': password or person.password}
    return api.post(LOGIN_PATH, body, headers={'X-Forwarded-For': address})


def guess(api: ServedApi, person: Person, address: str = '192.0.2.1') -> Response:
    return log_in(api, person, address, 'a wrong guess')


def guess_from_everywhere(api: ServedApi, person: Person, times: int) -> list[int]:
    return [guess(api, person, f'198.51.100.{number}').status_code for number in range(times)]


def assert_refused(response: Response, policy: str) -> None:
    waiting = int(response.headers['Retry-After'])
    # What is left of the first pause; the unit tests of the limiter have it to the second.
    assert 0 < waiting <= 60
    message = error_of(response, HTTPStatus.TOO_MANY_REQUESTS)
    assert message == f'Too many tries, please try again in {waiting} seconds'
    assert response.headers['RateLimit'] == f'"{policy}";r=0;t={waiting}'
    assert response.headers['RateLimit-Policy'].startswith(f'"{policy}";q=')


@pytest.mark.parametrize('is_known', [True, False])
def test_ten_failures_close_an_account_to_all_strangers_whether_it_exists_or_not(
    proxied: ServedApi, owner: Member, is_known: bool
) -> None:
    person = owner.person if is_known else new_person()

    assert guess_from_everywhere(proxied, person, 10) == [HTTPStatus.UNAUTHORIZED] * 10

    assert_refused(guess(proxied, person), 'login')
    # Not even who knows the password is let in meanwhile: the refusal must not tell that it is right.
    assert_refused(log_in(proxied, person, '192.0.2.1'), 'login')


def test_fifty_guesses_at_once_on_two_workers_are_ten(proxied: ServedApi, owner: Member) -> None:
    statuses = at_once([
        lambda number=number: guess(proxied, owner.person, f'203.0.113.{number}').
        status_code  # type: ignore[misc]
        for number in range(THREADS)
    ])

    assert Counter(statuses) == {HTTPStatus.UNAUTHORIZED: 10, HTTPStatus.TOO_MANY_REQUESTS: THREADS - 10}


def test_the_owner_gets_in_from_where_they_were_before(proxied: ServedApi, owner: Member) -> None:
    guess_from_everywhere(proxied, owner.person, 10)
    assert_refused(log_in(proxied, owner.person, '192.0.2.1'), 'login')

    ok(log_in(proxied, owner.person, '127.0.0.1'))


def test_who_chose_a_new_password_by_mail_gets_in_from_there(proxied: ServedApi, owner: Member) -> None:
    guess_from_everywhere(proxied, owner.person, 10)
    here = {'X-Forwarded-For': '192.0.2.1'}
    token = JwtLinkTokens(LinkPurpose.RESET, SECRET_KEY
                          ).issue(MailLink(owner.account['id'], owner.person.email, 0), datetime.now(UTC))
    body = {'token': token, 'password': 'another pass phrase'}
    assert proxied.post('/v1/accounts/password/reset', body, headers=here).status_code == 204

    ok(log_in(proxied, owner.person, '192.0.2.1', 'another pass phrase'))
    assert_refused(log_in(proxied, owner.person, '192.0.2.2', 'another pass phrase'), 'login')


def test_an_owner_who_verifies_with_a_password_gets_in_from_there(proxied: ServedApi) -> None:
    person = new_person()
    link = verification_path(register(proxied, person))
    guess_from_everywhere(proxied, person, 10)
    here = {'X-Forwarded-For': '192.0.2.1'}
    ok(proxied.post(link, {'password': 'another pass phrase'}, headers=here))

    ok(log_in(proxied, person, '192.0.2.1', 'another pass phrase'))
    assert_refused(log_in(proxied, person, '192.0.2.2', 'another pass phrase'), 'login')


def test_an_ipv6_network_is_one_client_for_its_owner(proxied: ServedApi, owner: Member) -> None:
    ok(log_in(proxied, owner.person, '2001:db8:7:1::1'))
    guess_from_everywhere(proxied, owner.person, 10)

    ok(log_in(proxied, owner.person, '2001:db8:7:1:ffff::2'))
    assert_refused(log_in(proxied, owner.person, '2001:db8:7:2::1'), 'login')


def test_a_success_makes_slips_good(proxied: ServedApi, owner: Member) -> None:
    for _ in range(2):
        for _ in range(9):
            error_of(guess(proxied, owner.person), HTTPStatus.UNAUTHORIZED)
        ok(log_in(proxied, owner.person, '192.0.2.1'))


def test_a_right_password_of_an_unverified_account_is_not_counted(proxied: ServedApi) -> None:
    person = new_person()
    register(proxied, person)

    for _ in range(12):
        assert error_of(log_in(proxied, person, '192.0.2.1'), HTTPStatus.FORBIDDEN) == 'Account not verified'


@pytest.mark.parametrize('forged', ['10.0.0.{}, 192.0.2.99', 'nonsense {}, 192.0.2.98'])
def test_a_forged_address_does_not_escape_the_count_of_its_network(proxied: ServedApi, forged: str) -> None:
    answers = [guess(proxied, new_person(), forged.format(number)) for number in range(5)]

    left = [int(response.headers['RateLimit'].split('r=')[1].split(';')[0]) for response in answers]
    assert left == [LOGIN.network.quota - tries for tries in range(1, 6)]


def test_who_is_no_proxy_is_not_believed(api: ServedApi) -> None:
    person = new_person()
    for number in range(10):
        error_of(guess(api, person, f'192.0.2.{number}'), HTTPStatus.UNAUTHORIZED)

    assert_refused(guess(api, person, '192.0.2.200'), 'login')


def test_a_client_is_told_how_it_stands(proxied: ServedApi, owner: Member) -> None:
    response = log_in(proxied, owner.person, '192.0.2.50')

    assert response.headers['RateLimit-Policy'] == '"login-network";q=300;w=3600'
    assert response.headers['RateLimit'] == '"login-network";r=299;t=3600'


@pytest.mark.parametrize(
    ('path', 'limit', 'policy'),
    [
        ('/v1/accounts/verify/resend', VERIFICATION_RESEND, 'resend'),
        ('/v1/accounts/password/forgot', PASSWORD_FORGOT, 'forgot'),
    ],
)
def test_links_are_asked_for_a_few_times_an_hour_whether_the_account_exists_or_not(
    proxied: ServedApi, path: str, limit: Limit, policy: str
) -> None:
    person, stranger = new_person(), new_person()
    register(proxied, person)
    for someone in (person, stranger):
        for _ in range(quota(limit)):
            ok(proxied.post(path, {'email': someone.email}), HTTPStatus.ACCEPTED)

    for someone in (person, stranger):
        response = proxied.post(path, {'email': someone.email})
        assert_refused(response, policy)


def test_registrations_of_one_address_that_fail_are_limited(proxied: ServedApi) -> None:
    person = new_person()
    weak = person.registration | {'password': 'short'}
    for _ in range(quota(REGISTRATION)):
        error_of(proxied.post('/v1/accounts/register', weak), HTTPStatus.BAD_REQUEST)

    assert_refused(proxied.post('/v1/accounts/register', person.registration), 'registration')
    # What cannot be read is not counted, and a refusal does not stop other people.
    error_of(proxied.post('/v1/accounts/register', {'email': person.email}), HTTPStatus.BAD_REQUEST)
    register(proxied, new_person())


def test_who_found_an_access_token_cannot_guess_the_password_with_it(
    proxied: ServedApi, owner: Member
) -> None:
    ways = [
        ('PUT', 'password', {'current_password': 'a wrong guess', 'new_password': 'another pass phrase'}),
        ('PUT', 'email', {'email': 'maker@example.com', 'password': 'a wrong guess'}),
        ('DELETE', 'me', {'password': 'a wrong guess'}),
    ]  # yapf: disable

    def try_(number: int) -> Response:
        method, name, body = ways[number % len(ways)]
        headers = owner.bearer | {'X-Forwarded-For': f'192.0.2.{number}'}
        return proxied.request(method, f'/v1/accounts/{name}', json=body, headers=headers)

    for number in range(quota(PASSWORD_PROOF)):
        assert error_of(try_(number), HTTPStatus.BAD_REQUEST) == 'Wrong password'

    for number in range(len(ways)):
        assert_refused(try_(number), 'proof')


def test_an_account_sends_few_mails_to_addresses_that_may_be_others(
    proxied: ServedApi, owner: Member
) -> None:
    body = {'email': new_person().email, 'password': owner.person.password}
    for _ in range(quota(EMAIL_CHANGE)):
        ok(proxied.request('PUT', '/v1/accounts/email', json=body, headers=owner.bearer), HTTPStatus.ACCEPTED)

    assert_refused(proxied.request('PUT', '/v1/accounts/email', json=body, headers=owner.bearer), 'email')
