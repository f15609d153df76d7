"""Flows of an account that go on by mail, with the server killed between two of their steps."""
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from http import HTTPStatus
from threading import Event

import pytest

from tests.e2e.conftest import end
from tests.support.answers import ok
from tests.support.database import connect, copy_of, execute, select_one
from tests.support.members import WHITELIST, Member, join, new_person
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink, link_in
from tests.support.waiting import PATIENCE, wait_until

NEW_PASSWORD = 'another pass phrase'


class Rig:
    """A server that is started again after each death, and its mail server."""

    def __init__(self, api: ServedApi, sink: SmtpSink) -> None:
        self.api = api
        self.sink = sink
        self._url = api.environ['DATABASE_URL']

    def join(self) -> Member:
        member = join(self.api)
        self.wait_for_empty_outbox()
        return member

    def wait_for_empty_outbox(self) -> None:
        query = "SELECT count(*) FROM outbox WHERE status = 'pending'"
        with closing(connect(self._url)) as database:
            wait_until(lambda: select_one(database, query) == 0, 'nothing pending')

    def restart(self) -> None:
        with closing(connect(self._url)) as database:
            # What two minutes would do.
            execute(database, "UPDATE outbox SET due_at = created_at WHERE status = 'pending'")
        self.api.start()

    def mailed_path(self, subject: str, to: str) -> str:
        """Of the link in the mail that came once, or if twice, then known for the same."""
        self.sink.wait_for_subject(subject, to=to)
        self.wait_for_empty_outbox()
        mails = [mail for mail in self.sink.mails if mail['To'] == to and mail['Subject'].startswith(subject)]
        assert len({mail['Message-ID'] for mail in mails}) == 1
        return link_in(mails[-1]).removeprefix('http://api.test')


@pytest.fixture(name='rig', scope='module')
def _rig(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Rig]:
    with copy_of(postgres_url) as url, SmtpSink() as sink:
        environ = {'SMTP_URL': sink.url, 'WHITELISTED_EMAILS': ','.join(WHITELIST)}
        api = ServedApi(tmp_path_factory.mktemp('killed'), url, environ)
        api.start()
        yield Rig(api, sink)
        end(api)


@contextmanager
def killed_when_answered(rig: Rig) -> Iterator[None]:
    """Kill the server right after what the block asks it for."""
    yield
    rig.api.kill()


@contextmanager
def killed_while_mail_is_handed_over(rig: Rig) -> Iterator[None]:
    """Kill the server when the mail server has a mail, but has not said so."""
    answered = Event()

    def kill() -> None:
        assert answered.wait(PATIENCE)
        # Both workers may hand over a mail at once.
        if rig.api.runs:
            rig.api.kill()

    rig.sink.before_answer = kill
    yield
    answered.set()
    wait_until(lambda: not rig.api.runs, 'killed')
    rig.sink.before_answer = None


moments = pytest.mark.parametrize('killed', [killed_when_answered, killed_while_mail_is_handed_over])
Killed = Callable[[Rig], AbstractContextManager[None]]


def can_log_in(api: ServedApi, email: str, password: str) -> bool:
    response = api.post('/v1/accounts/login', {'email': email, 'password': password})
    return response.status_code == HTTPStatus.OK


@moments
def test_a_lost_password_is_replaced_all_the_same(rig: Rig, killed: Killed) -> None:
    person = rig.join().person
    with killed(rig):
        ok(rig.api.post('/v1/accounts/password/forgot', {'email': person.email}), HTTPStatus.ACCEPTED)
    rig.restart()

    path = rig.mailed_path('Choose a new password', person.email)
    assert ok(rig.api.get(path))['email'] == person.email
    body = {'token': path.rpartition('/')[2], 'password': NEW_PASSWORD}
    assert rig.api.post('/v1/accounts/password/reset', body).status_code == HTTPStatus.NO_CONTENT

    assert can_log_in(rig.api, person.email, NEW_PASSWORD)
    assert not can_log_in(rig.api, person.email, person.password)


@moments
def test_a_wish_for_another_address_is_kept(rig: Rig, killed: Killed) -> None:
    member = rig.join()
    old_email, new_email, password = member.person.email, new_person().email, member.person.password
    wish = {'email': new_email, 'password': password}
    with killed(rig):
        response = rig.api.request('PUT', '/v1/accounts/email', json=wish, headers=member.bearer)
        ok(response, HTTPStatus.ACCEPTED)
    rig.restart()

    confirmation = rig.mailed_path('Confirm your new e-mail address', new_email).rpartition('/')[2]
    revocation = rig.mailed_path('Your e-mail address for', old_email).rpartition('/')[2]
    assert can_log_in(rig.api, old_email, password) and not can_log_in(rig.api, new_email, password)
    # Whoever confirms it takes the address over, and the former address may take it back.
    for way, token, email in (('confirm', confirmation, new_email), ('revoke', revocation, old_email)):
        assert ok(rig.api.post(f'/v1/accounts/email/{way}', {'token': token}))['email'] == email
        assert can_log_in(rig.api, email, password) is (way == 'confirm')
