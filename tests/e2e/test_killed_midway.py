"""Flows of an account that go on by mail, with the server killed between two of their steps."""
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from http import HTTPStatus
from threading import Event

import pytest

from tests.e2e.conftest import Serve
from tests.support.answers import ok
from tests.support.database import connect, execute, select_one
from tests.support.members import Member, join, new_person
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink, link_in
from tests.support.waiting import PATIENCE, wait_until

NEW_PASSWORD = 'another pass phrase'


class Rig:
    """A server and a mail server of the test's own, and somebody with an account."""

    def __init__(self, serve: Serve, url: str, sink: SmtpSink) -> None:
        self.api = serve(url, {'SMTP_URL': sink.url})
        self.sink = sink
        self._url = url
        self.member: Member = join(self.api)
        self.wait_for_empty_outbox()

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


@pytest.fixture(name='rig')
def _rig(serve: Serve, database_url: str, smtp_sink: SmtpSink) -> Rig:
    return Rig(serve, database_url, smtp_sink)


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
    answer = api.post('/v1/accounts/login', {'email': email, 'password': password})
    return answer.status_code == HTTPStatus.OK


@moments
def test_a_lost_password_is_replaced_all_the_same(rig: Rig, killed: Killed) -> None:
    email = rig.member.person.email
    with killed(rig):
        ok(rig.api.post('/v1/accounts/password/forgot', {'email': email}), HTTPStatus.ACCEPTED)
    rig.restart()

    path = rig.mailed_path('Choose a new password', email)
    assert ok(rig.api.get(path))['email'] == email
    body = {'token': path.rpartition('/')[2], 'password': NEW_PASSWORD}
    assert rig.api.post('/v1/accounts/password/reset', body).status_code == HTTPStatus.NO_CONTENT

    assert can_log_in(rig.api, email, NEW_PASSWORD)
    assert not can_log_in(rig.api, email, rig.member.person.password)


@moments
@pytest.mark.parametrize('way', ['confirm', 'revoke'])
def test_a_wish_for_another_address_is_kept(rig: Rig, killed: Killed, way: str) -> None:
    old_email, new_email = rig.member.person.email, new_person().email
    wish = {'email': new_email, 'password': rig.member.person.password}
    with killed(rig):
        answer = rig.api.request('PUT', '/v1/accounts/email', json=wish, headers=rig.member.bearer)
        ok(answer, HTTPStatus.ACCEPTED)
    rig.restart()

    paths = {
        'confirm': rig.mailed_path('Confirm your new e-mail address', new_email),
        'revoke': rig.mailed_path('Your e-mail address for', old_email),
    }
    assert can_log_in(rig.api, old_email, rig.member.person.password)
    token = paths[way].rpartition('/')[2]
    account = ok(rig.api.post(f'/v1/accounts/email/{way}', {'token': token}))

    assert account['email'] == (new_email if way == 'confirm' else old_email)
    assert can_log_in(rig.api, account['email'], rig.member.person.password) is (way == 'confirm')
