"""Mail while the way to the mail server is broken: who registers does not notice, and the mail comes."""
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest
from psycopg2.extensions import connection

from tests.faults.cases import Case, for_each
from tests.faults.invariants import check_rows
from tests.faults.network import delay, slow
from tests.support.answers import ok
from tests.support.database import connect, copy_of, execute, select_one
from tests.support.members import WHITELIST, new_person
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import wait_until
from tests.support.ways import CutAfter

SMTP = 'SMTP'
MEANWHILE = 'somebody registers'
ONCE = 'a 201 at once; the mail comes once'
AT_LEAST_ONCE = 'a 201 at once; the mail comes, a second time only under the same Message-ID'
CUTS = tuple(4**power for power in range(8))


@dataclass(frozen=True, kw_only=True)
class Post:
    api: ServedApi
    database: connection
    url: str
    sink: SmtpSink
    proxy: TcpProxy

    def register(self) -> dict[str, Any]:
        response = self.api.post('/v1/accounts/register', new_person().registration)
        account: dict[str, Any] = ok(response, HTTPStatus.CREATED)
        return account

    def about(self, account: dict[str, Any], column: str) -> Any:
        """Of the mail's row."""
        query = f"SELECT {column} FROM outbox WHERE payload->'account_id' = to_jsonb(%s)"
        return select_one(self.database, query, account['id'])

    def wait_for_failure(self, account: dict[str, Any]) -> None:
        wait_until(lambda: self.about(account, 'last_error IS NOT NULL'), 'a try has failed')

    def let_time_pass(self) -> None:
        """What the pause before the next try would do."""
        execute(self.database, "UPDATE outbox SET due_at = created_at WHERE status = 'pending'")

    def received(self, account: dict[str, Any]) -> list[str]:
        """The Message-IDs of all mails that have come, once the last of them was marked as sent."""
        wait_until(lambda: self.about(account, 'status') == 'sent', 'marked as sent')
        return [mail['Message-ID'] for mail in self.sink.mails if mail['To'] == account['email']]


@pytest.fixture(name='post', scope='module')
def _post(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Post]:
    with (
        copy_of(postgres_url) as url,
        SmtpSink() as sink,
        TcpProxy('127.0.0.1', sink.port) as proxy,
        closing(connect(url)) as database,
    ):
        environ = {'SMTP_URL': f'smtp://127.0.0.1:{proxy.port}', 'WHITELISTED_EMAILS': ','.join(WHITELIST)}
        with ServedApi(tmp_path_factory.mktemp('post'), url, environ) as api:
            yield Post(api=api, database=database, url=url, sink=sink, proxy=proxy)


AWAY = {'refuse': TcpProxy.refuse, 'hang': TcpProxy.hang}
TROUBLE = {'delay': delay, 'slow': slow}


@for_each([
    Case(part=SMTP, fault=fault, meanwhile=MEANWHILE, holds=ONCE, quick=fault == 'refuse') for fault in AWAY
])
def test_a_mail_server_that_is_away(post: Post, case: Case) -> None:
    try:
        AWAY[case.fault](post.proxy)
        # It is answered although no mail can have gone out.
        account = post.register()
        post.wait_for_failure(account)
        # What was held back meanwhile is not to come now.
        post.proxy.refuse()
    finally:
        post.proxy.forward()
    post.let_time_pass()

    assert len(post.received(account)) == 1
    check_rows(post.url)


@for_each([Case(part=SMTP, fault=fault, meanwhile=MEANWHILE, holds=ONCE) for fault in TROUBLE])
def test_a_mail_server_that_is_far_away(post: Post, case: Case) -> None:
    try:
        TROUBLE[case.fault](post.proxy)
        account = post.register()

        assert len(post.received(account)) == 1
    finally:
        post.proxy.forward()
    check_rows(post.url)


@for_each([
    Case(part=SMTP, fault=f'cut after n bytes, {direction}', meanwhile=MEANWHILE, holds=AT_LEAST_ONCE)
    for direction in ('sent', 'received')
])
def test_a_connection_that_is_cut(post: Post, case: Case) -> None:
    for number in CUTS:
        way = CutAfter(number, to_server=case.fault.endswith('sent'))
        try:
            post.proxy.go_by(way)
            account = post.register()
            if number < 256:
                # Of a conversation that goes well, both sides say more.
                post.wait_for_failure(account)
            post.let_time_pass()
            ids = post.received(account)
        finally:
            post.proxy.forward()

        assert len(ids) in (1, 2) and len(set(ids)) == 1
        if not way.has_cut:
            check_rows(post.url)
            return
    raise AssertionError('no mail is so long')


@for_each([
    Case(
        part=SMTP,
        fault='reset between the mail and the 250 for it',
        meanwhile=MEANWHILE,
        holds=AT_LEAST_ONCE,
        quick=True,
    )
])
def test_a_connection_that_is_cut_before_the_answer(post: Post, case: Case) -> None:
    del case
    post.sink.before_answer = post.proxy.cut
    try:
        account = post.register()
        post.wait_for_failure(account)
    finally:
        post.sink.before_answer = None
    post.let_time_pass()

    ids = post.received(account)
    assert len(ids) == 2 and len(set(ids)) == 1
    check_rows(post.url)
