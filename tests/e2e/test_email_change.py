"""Another address: nothing changes before the new mailbox says so, and the old one can take it back."""
from dataclasses import dataclass, replace
from http import HTTPStatus

import pytest
from requests import Response

from tests.support.answers import error_of, ok
from tests.support.at_once import at_once
from tests.support.members import Member, new_person, register
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink, link_in

LOGIN = '/v1/accounts/login'
EMAIL = '/v1/accounts/email'
CONFIRM = '/v1/accounts/email/confirm'
REVOKE = '/v1/accounts/email/revoke'
INVALID = 'The link is not good, or not any more'


def ask(api: ServedApi, member: Member, email: str, password: str | None = None) -> Response:
    body = {'email': email, 'password': member.person.password if password is None else password}
    return api.request('PUT', EMAIL, json=body, headers=member.bearer)


@dataclass(frozen=True, kw_only=True)
class Wish:
    new_email: str
    confirmation: str
    revocation: str

    @property
    def confirm_body(self) -> dict[str, str]:
        return {'token': self.confirmation.rpartition('/')[2]}

    @property
    def revoke_body(self) -> dict[str, str]:
        return {'token': self.revocation.rpartition('/')[2]}


@pytest.fixture(name='wish')
def _wish(api: ServedApi, mail_server: SmtpSink, member: Member) -> Wish:
    new_email = new_person().email
    ok(ask(api, member, f' {new_email.upper()}'), HTTPStatus.ACCEPTED)
    confirmation = mail_server.wait_for_subject('Confirm your new e-mail address', to=new_email)
    announcement = mail_server.wait_for_subject('Your e-mail address for api.test', to=member.person.email)
    confirm_link, revoke_link = (
        link_in(each).removeprefix('http://api.test') for each in (confirmation, announcement)
    )
    return Wish(new_email=new_email, confirmation=confirm_link, revocation=revoke_link)


def can_log_in(api: ServedApi, email: str, password: str) -> bool:
    return api.post(LOGIN, {'email': email, 'password': password}).status_code == HTTPStatus.OK


def test_the_new_address_counts_when_it_is_confirmed(api: ServedApi, member: Member, wish: Wish) -> None:
    password = member.person.password
    # As a scanner of links does, in both mailboxes.
    for path in (wish.confirmation, wish.revocation):
        for method in ('HEAD', 'GET', 'OPTIONS'):
            assert api.request(method, path).ok
    shown = ok(api.get(wish.confirmation))
    assert (shown['old_email'], shown['new_email']) == (member.person.email, wish.new_email)
    assert not shown['confirmed']
    assert can_log_in(api, member.person.email, password)
    assert not can_log_in(api, wish.new_email, password)

    account = ok(api.post(CONFIRM, wish.confirm_body))

    assert account['email'] == wish.new_email
    assert can_log_in(api, wish.new_email, password)
    assert not can_log_in(api, member.person.email, password)
    assert error_of(api.post(CONFIRM, wish.confirm_body), HTTPStatus.BAD_REQUEST) == INVALID
    ok(api.get('/v1/accounts/me', headers=member.bearer))


@pytest.mark.parametrize('confirmed', [False, True])
def test_the_old_address_takes_it_back(
    api: ServedApi, mail_server: SmtpSink, member: Member, wish: Wish, confirmed: bool
) -> None:
    if confirmed:
        ok(api.post(CONFIRM, wish.confirm_body))

    account = ok(api.post(REVOKE, wish.revoke_body))

    assert account['email'] == member.person.email
    refused = api.get('/v1/accounts/me', headers=member.bearer)
    assert error_of(refused, HTTPStatus.FORBIDDEN) == 'The session of this token has ended'
    for email in (member.person.email, wish.new_email):
        assert not can_log_in(api, email, member.person.password)
    for path, body in ((CONFIRM, wish.confirm_body), (REVOKE, wish.revoke_body)):
        assert error_of(api.post(path, body), HTTPStatus.BAD_REQUEST) == INVALID
    way_in = link_in(mail_server.wait_for_subject('Choose a new password', to=member.person.email))
    body = {'token': way_in.rpartition('/')[2], 'password': 'another pass phrase'}
    assert api.post('/v1/accounts/password/reset', body).status_code == HTTPStatus.NO_CONTENT
    assert can_log_in(api, member.person.email, 'another pass phrase')


def test_nobody_is_kept_out_by_who_registered_the_old_address_meanwhile(
    api: ServedApi, member: Member, wish: Wish
) -> None:
    ok(api.post(CONFIRM, wish.confirm_body))
    stranger = replace(new_person(), email=member.person.email)
    register(api, stranger)

    assert ok(api.post(REVOKE, wish.revoke_body))['email'] == member.person.email

    error_of(api.get(f'/v1/users/{stranger.username}/projects'), HTTPStatus.BAD_REQUEST)


def test_a_new_password_ends_a_wish_that_waits(api: ServedApi, member: Member, wish: Wish) -> None:
    body = {'current_password': member.person.password, 'new_password': 'another pass phrase'}
    ok(api.request('PUT', '/v1/accounts/password', json=body, headers=member.bearer))

    for path, link_body in ((CONFIRM, wish.confirm_body), (REVOKE, wish.revoke_body)):
        assert error_of(api.post(path, link_body), HTTPStatus.BAD_REQUEST) == INVALID


def test_of_two_tabs_that_confirm_at_once_one_succeeds(api: ServedApi, wish: Wish) -> None:
    answers = at_once([lambda: api.post(CONFIRM, wish.confirm_body)] * 4)

    assert sorted(response.status_code for response in answers) == [200, 400, 400, 400]


def test_a_later_wish_replaces_an_earlier_one(
    api: ServedApi, mail_server: SmtpSink, member: Member, wish: Wish
) -> None:
    later = new_person().email
    ok(ask(api, member, later), HTTPStatus.ACCEPTED)
    mail_server.wait_for_subject('Confirm', to=later)

    for path, body in ((CONFIRM, wish.confirm_body), (REVOKE, wish.revoke_body)):
        assert error_of(api.post(path, body), HTTPStatus.BAD_REQUEST) == INVALID


def test_an_address_that_somebody_has_is_not_told_from_one_that_is_free(
    api: ServedApi, mail_server: SmtpSink, author: Member, member: Member
) -> None:
    free_address = new_person().email

    taken, own = ask(api, member, author.person.email), ask(api, member, member.person.email)
    free = ask(api, member, free_address)

    assert ok(taken, HTTPStatus.ACCEPTED) == ok(free, HTTPStatus.ACCEPTED) == ok(own, HTTPStatus.ACCEPTED)
    # Mails leave in the order of the wishes.
    mail_server.wait_for_subject('Confirm your new e-mail address', to=free_address)
    subjects = [mail['Subject'] for mail in mail_server.mails if mail['To'] == author.person.email]
    assert not [subject for subject in subjects if subject.startswith('Confirm your new')]


@pytest.mark.parametrize(
    ('email', 'password', 'message'),
    [
        ('stranger@example.com', None, 'Email not whitelisted'),
        ('no address', None, 'Email not whitelisted'),
        ('', None, 'Email not whitelisted'),
        ('person-1@example.com\r\nBcc: x@example.com', None, 'Email not whitelisted'),
        ('person-1@example.com', 'wrong', 'Wrong password'),
    ],
)
def test_a_wish_that_is_refused_changes_nothing(
    api: ServedApi, member: Member, email: str, password: str | None, message: str
) -> None:
    assert error_of(ask(api, member, email, password), HTTPStatus.BAD_REQUEST) == message


def test_the_link_of_one_purpose_is_none_of_another(api: ServedApi, wish: Wish) -> None:
    bodies = {CONFIRM: wish.revoke_body, REVOKE: wish.confirm_body}
    bodies['/v1/accounts/password/reset'] = wish.confirm_body | {'password': 'another pass phrase'}

    for path, body in bodies.items():
        assert error_of(api.post(path, body), HTTPStatus.BAD_REQUEST) == INVALID
