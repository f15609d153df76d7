"""The API's clock is an hour ahead or behind; all others' are right."""
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.faults.cases import Case, for_each
from tests.faults.invariants import check_rows
from tests.support.answers import error_of, ok
from tests.support.database import copy_of
from tests.support.members import WHITELIST, Member, log_in, new_person, publish, register, verification_path
from tests.support.missing import skip_outside_ci
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink, link_in
from tests.support.waiting import wait_until

CLOCK = 'Clock'
# Debian's package `faketime`; the folder is named after the machine.
LIBRARIES = sorted(Path('/usr/lib').glob('*/faketime/libfaketimeMT.so.1'))
SLEEP = '''
import threading
import time

time.sleep = lambda seconds: threading.Event().wait(seconds) and None
'''
AHEAD, RIGHT, BEHIND = 'an hour ahead', 'right', 'an hour behind'
OFFSETS = {AHEAD: '+3600', BEHIND: '-3600'}


class Clocks:
    """Servers that share a database, by how their clocks go; each is started when it is first asked for."""

    def __init__(self, stack: ExitStack, folder: Path, url: str, sink: SmtpSink) -> None:
        self._stack = stack
        self._folder = folder
        self._url = url
        self._started: dict[str, ServedApi] = {}
        self.url = url
        self.sink = sink

    def __getitem__(self, clock: str) -> ServedApi:
        if clock not in self._started:
            folder = self._folder / clock.replace(' ', '-')
            folder.mkdir()
            environ = {
                'WHITELISTED_EMAILS': ','.join(WHITELIST),
                'SMTP_URL': self.sink.url,
                'WEB_CONCURRENCY': '1',
            }
            if clock in OFFSETS:
                environ |= {
                    'LD_PRELOAD': str(LIBRARIES[0]),
                    'FAKETIME': OFFSETS[clock],
                    # A clock that is set moves the time of day, and no time-out.
                    'FAKETIME_DONT_FAKE_MONOTONIC': '1',
                    'PYTHONPATH': str(self._with_sleep()),
                }
            self._started[clock] = self._stack.enter_context(ServedApi(folder, self._url, environ))
        return self._started[clock]

    def _with_sleep(self) -> Path:
        """A folder with what Python reads at its start.

        `time.sleep` waits until a time of the monotonic clock (clock_nanosleep), of which libfaketime 0.9.10
        takes the offset all the same.
        """
        (self._folder / 'sitecustomize.py').write_text(SLEEP, encoding='utf-8')
        return self._folder

    def join(self, clock: str) -> Member:
        """By the link that this server would make, whichever of them sends the mail."""
        api = self[clock]
        person = new_person()
        account = register(api, person)
        now = datetime.now(UTC) + timedelta(seconds=int(OFFSETS.get(clock, '0')))
        ok(api.get(verification_path(account, now=now)))
        return Member(person=person, account=account, token=log_in(api, person))


@pytest.fixture(name='clocks')
def _clocks(tmp_path: Path, postgres_url: str) -> Iterator[Clocks]:
    if not LIBRARIES:
        skip_outside_ci('no libfaketime', 'install faketime')
    with copy_of(postgres_url) as url, SmtpSink() as sink, ExitStack() as stack:
        clocks = Clocks(stack, tmp_path, url, sink)
        yield clocks


def told(api: ServedApi, member: Member) -> str | None:
    """What whoever brings the token is refused with."""
    response = api.get('/v1/users/me', headers=member.bearer)
    return None if response.status_code == HTTPStatus.OK else error_of(response, HTTPStatus.FORBIDDEN)


@for_each([
    Case(
        part=CLOCK,
        fault=clock,
        meanwhile='registering, verifying, logging in, publishing and reading, through this server alone',
        holds='everything goes as ever',
    ) for clock in OFFSETS
])
def test_one_server(clocks: Clocks, case: Case) -> None:
    api = clocks[case.fault]
    person = new_person()
    account = register(api, person)
    mail, *_ = clocks.sink.wait_for(to=person.email)
    ok(api.get(link_in(mail).removeprefix('http://api.test')))
    member = Member(person=person, account=account, token=log_in(api, person))
    first = publish(api, member, 'A title', 'text')
    ok(api.patch(f'/v1/projects/{first["id"]}', {'title': 'Another'}, headers=member.bearer))

    assert [each['title'] for each in ok(api.get(member.projects_path))] == ['Another']
    assert told(api, member) is None
    check_rows(clocks.url)


@for_each([
    Case(
        part=CLOCK,
        fault=clock,
        meanwhile='a token of the other server, whose clock is right, and the other way round',
        holds='200, or a 403 that names the reason; a login makes it good',
    ) for clock in OFFSETS
])
def test_tokens_of_two_servers(clocks: Clocks, case: Case) -> None:
    wrong, right = clocks[case.fault], clocks[RIGHT]
    of_wrong, of_right = clocks.join(case.fault), clocks.join(RIGHT)

    future = 'The token is not yet valid (iat)'
    expired = 'Signature has expired'
    # The half hour of a token has passed for who is an hour later.
    refusals = (expired, future) if case.fault == AHEAD else (future, expired)
    assert (told(wrong, of_right), told(right, of_wrong)) == refusals
    for api, member in ((wrong, of_right), (right, of_wrong)):
        renewed = Member(person=member.person, account=member.account, token=log_in(api, member.person))
        assert told(api, renewed) is None


@for_each([
    Case(
        part=CLOCK,
        fault=clock,
        meanwhile='a project that is scheduled half an hour ahead',
        holds='public by the server\'s own clock, and where that is right not before its time',
    ) for clock in OFFSETS
])
def test_what_is_scheduled(clocks: Clocks, case: Case) -> None:
    wrong, right = clocks[case.fault], clocks[RIGHT]
    author = clocks.join(RIGHT)
    publish(right, author, 'Now', 'text')
    soon = datetime.now(UTC) + timedelta(minutes=30)
    project = {'title': 'Soon', 'body': '', 'published_at': soon.strftime('%Y-%m-%d %H:%M:%S.%f')}
    draft = {'title': 'Draft', 'body': '', 'status': 'draft'}
    for each in (project, draft):
        ok(right.post('/v1/projects', each, headers=author.bearer), HTTPStatus.CREATED)

    def titles(api: ServedApi) -> set[str]:
        return {each['title'] for each in ok(api.get(author.projects_path))}

    shown = {'Now', 'Soon'} if case.fault == AHEAD else set()
    for _ in range(2):
        # The second answer is one that was kept.
        assert (titles(wrong), titles(right)) == (shown, {'Now'})


@for_each([
    Case(
        part=CLOCK,
        fault=clock,
        meanwhile='mail that one server queues and another sends',
        holds='it comes, under one Message-ID',
    ) for clock in OFFSETS
])
def test_mail(clocks: Clocks, case: Case) -> None:
    wrong, right = clocks[case.fault], clocks[RIGHT]
    people = [(api, new_person()) for api in (wrong, right) * 4]
    for api, person in people:
        register(api, person)

    for _, person in people:
        clocks.sink.wait_for(to=person.email)
    wait_until(lambda: len(clocks.sink.mails) >= len(people), 'all mail has come')
    ids = {(mail['To'], mail['Message-ID']) for mail in clocks.sink.mails}
    assert len(ids) == len(people)
