"""A way back in: by a mailed link, which a program that opens links does not use up."""
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus

import pytest
from psycopg2.extensions import connection
from requests import Response

from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.data.jwt import JwtLinkTokens
from tests.support.answers import error_of, ok
from tests.support.at_once import at_once
from tests.support.database import select_one
from tests.support.members import Member, Person, join, log_in, new_person, register
from tests.support.served_api import SECRET_KEY, ServedApi
from tests.support.smtp_sink import SmtpSink, link_in
from tests.support.waiting import wait_until

LOGIN = '/v1/accounts/login'
FORGOT = '/v1/accounts/password/forgot'
RESEND = '/v1/accounts/verify/resend'
RESET = '/v1/accounts/password/reset'
NEW = 'another pass phrase'


def mailed_link(mail_server: SmtpSink, person: Person) -> str:
    """The path of the link to choose a new password."""
    mail = mail_server.wait_for_subject('Choose a new password for api.test', to=person.email)
    return link_in(mail).removeprefix('http://api.test')


def reset(api: ServedApi, token: str, password: str = NEW) -> Response:
    return api.post(RESET, {'token': token, 'password': password})


def bare(response: Response) -> tuple[int, bytes, dict[str, str]]:
    # What is left of the caller's own quota is no secret.
    always_differ = ('Date', 'RateLimit', 'X-Request-ID')
    headers = {name: value for name, value in response.headers.items() if name not in always_differ}
    return response.status_code, response.content, headers


def test_a_lost_password_is_replaced_by_mail(api: ServedApi, mail_server: SmtpSink, member: Member) -> None:
    ok(api.post(FORGOT, {'email': member.person.email.upper()}), HTTPStatus.ACCEPTED)
    path = mailed_link(mail_server, member.person)

    # As a scanner of links does, before the person sees the mail.
    for method in ('HEAD', 'GET', 'OPTIONS', 'GET'):
        assert api.request(method, path).ok
    shown = ok(api.get(path))
    assert (shown['email'], shown['username']) == (member.person.email, member.person.username)
    log_in(api, member.person)

    token = path.rpartition('/')[2]
    assert reset(api, token).status_code == HTTPStatus.NO_CONTENT

    error_of(api.post(LOGIN, member.person.login), HTTPStatus.UNAUTHORIZED)
    ok(api.post(LOGIN, member.person.login | {'password': NEW}))
    refused = api.get('/v1/accounts/me', headers=member.bearer)
    assert error_of(refused, HTTPStatus.FORBIDDEN) == 'The session of this token has ended'
    for again in (reset(api, token), api.get(path)):
        assert error_of(again, HTTPStatus.BAD_REQUEST) == 'The link is not good, or not any more'
    mail_server.wait_for_subject('Your password for api.test was changed', to=member.person.email)
    assert token not in api.log()


def test_the_owner_of_an_address_gets_in_though_a_stranger_registered_it(
    api: ServedApi, mail_server: SmtpSink, person: Person
) -> None:
    register(api, person)
    ok(api.post(FORGOT, {'email': person.email}), HTTPStatus.ACCEPTED)

    token = mailed_link(mail_server, person).rpartition('/')[2]
    assert reset(api, token).status_code == HTTPStatus.NO_CONTENT

    error_of(api.post(LOGIN, person.login), HTTPStatus.UNAUTHORIZED)
    ok(api.post(LOGIN, person.login | {'password': NEW}))


def test_the_owner_of_an_address_gets_in_though_a_scanner_verified_a_strangers_account(
    api: ServedApi, mail_server: SmtpSink, person: Person
) -> None:
    stranger = join(api, person)
    ok(api.post(FORGOT, {'email': person.email}), HTTPStatus.ACCEPTED)

    token = mailed_link(mail_server, person).rpartition('/')[2]
    assert reset(api, token).status_code == HTTPStatus.NO_CONTENT

    error_of(api.get('/v1/accounts/me', headers=stranger.bearer), HTTPStatus.FORBIDDEN)
    error_of(api.post(LOGIN, person.login), HTTPStatus.UNAUTHORIZED)
    ok(api.post(LOGIN, person.login | {'password': NEW}))


def test_of_eight_uses_at_once_one_counts(api: ServedApi, member: Member) -> None:
    link = MailLink(member.account['id'], member.person.email, 0)
    token = JwtLinkTokens(LinkPurpose.RESET, SECRET_KEY).issue(link, datetime.now(UTC))
    passwords = [f'{NEW} {number}' for number in range(8)]

    answers = at_once([partial(reset, api, token, password) for password in passwords])

    statuses = [response.status_code for response in answers]
    assert statuses.count(204) == 1 and set(statuses) <= {204, 400, 503}
    ok(api.post(LOGIN, member.person.login | {'password': passwords[statuses.index(204)]}))


def test_a_link_lives_an_hour(api: ServedApi, member: Member) -> None:
    link = MailLink(member.account['id'], member.person.email, 0)
    then = datetime.now(UTC) - timedelta(hours=1, seconds=1)

    error_of(
        reset(api,
              JwtLinkTokens(LinkPurpose.RESET, SECRET_KEY).issue(link, then)), HTTPStatus.BAD_REQUEST
    )

    log_in(api, member.person)


@pytest.mark.parametrize('path', [FORGOT, RESEND])
def test_nobody_learns_who_has_an_account(api: ServedApi, member: Member, path: str) -> None:
    waiting = new_person()
    register(api, waiting)
    addresses = [
        member.person.email, waiting.email, waiting.email,
        new_person().email, 'stranger@example.com', 'no address', ''
    ]

    answers = [bare(api.post(path, {'email': address})) for address in addresses]

    assert answers == [answers[0]] * len(addresses)
    assert answers[0][0] == HTTPStatus.ACCEPTED


def test_a_second_wish_within_two_minutes_brings_no_second_mail(
    api: ServedApi, database: connection, member: Member
) -> None:
    for _ in range(3):
        ok(api.post(FORGOT, {'email': member.person.email}), HTTPStatus.ACCEPTED)

    query = """
        SELECT count(*) FROM outbox WHERE kind = %s AND (payload ->> 'account_id')::integer = %s AND status <> 'pending'
    """
    account_id = member.account['id']
    wait_until(lambda: select_one(database, query, 'password_reset_request', account_id) == 3, 'all are done')
    assert select_one(
        database, query.replace("status <> 'pending'", 'true'), 'password_reset', account_id
    ) == 1


@pytest.mark.parametrize(
    'token', ['', 'x', 'eyJh.eyJh.x', 'x' * 4096, '../../etc'], ids=lambda token: token[:9]
)
def test_whatever_else_is_no_link(api: ServedApi, token: str) -> None:
    assert error_of(reset(api, token), HTTPStatus.BAD_REQUEST) == 'The link is not good, or not any more'


def test_a_weak_password_leaves_the_link_good(api: ServedApi, member: Member) -> None:
    link = MailLink(member.account['id'], member.person.email, 0)
    token = JwtLinkTokens(LinkPurpose.RESET, SECRET_KEY).issue(link, datetime.now(UTC))

    assert 'most used' in error_of(reset(api, token, 'password1'), HTTPStatus.BAD_REQUEST)
    assert error_of(api.post(RESET, {'token': token}), HTTPStatus.BAD_REQUEST) == "Expected 'password' key"

    assert reset(api, token).status_code == HTTPStatus.NO_CONTENT
