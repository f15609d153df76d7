"""Every write of the API that keeps or frees files, while the way to S3 is broken."""
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

import pytest
from requests import Response

from tests.faults.cases import Case, for_each
from tests.faults.network import delay, slow
from tests.faults.trial import Outcome, Service, check_mended, check_suffered
from tests.support.answers import ok
from tests.support.attempts import Prepare
from tests.support.database import copy_of
from tests.support.members import WHITELIST, Member, join
from tests.support.s3_servers import AWS_ENVIRON, MotoServer
from tests.support.served_api import ServedApi
from tests.support.tcp_proxy import TcpProxy
from tests.support.uploads import AVATAR, IMAGES, list_images, new_picture, send
from tests.support.waiting import wait_until
from tests.support.ways import CutAfter, HeldBack
from tests.support.writes import WRITES

S3 = 'S3'

WHEN_AWAY = {
    'assets_upload': Outcome.REFUSED,
    'avatar_set_avatar': Outcome.REFUSED,
    # The picture is out of the list at once; the same call, or the sweep, frees its files.
    'assets_delete_own': Outcome.EITHER,
    # The files are left to the sweep.
    'avatar_reset_avatar': Outcome.SERVED,
    'own_account_delete': Outcome.SERVED,
}
AWAY = {'refuse': TcpProxy.refuse, 'hang': TcpProxy.hang}
# The client tries a second time, on a new connection.
TROUBLE = {'reset': TcpProxy.cut, 'delay': delay, 'slow': slow}
CUTS = tuple(4**power for power in range(12))


@dataclass(frozen=True, kw_only=True)
class FileCase(Case):
    prepare: Prepare
    outcome: Outcome


CASES = [
    FileCase(
        part=S3,
        fault=fault,
        meanwhile=name,
        holds=outcome.value,
        prepare=WRITES[name],
        outcome=outcome,
    ) for fault, name, outcome in [
        *((fault, name, outcome) for fault in AWAY for name, outcome in WHEN_AWAY.items()),
        *((fault, name, Outcome.EITHER) for fault in TROUBLE for name in WHEN_AWAY),
    ]
]
CUT_CASES = [
    FileCase(
        part=S3,
        fault=f'cut after n bytes, {direction}',
        meanwhile=name,
        holds=Outcome.EITHER.value,
        prepare=WRITES[name],
        outcome=Outcome.EITHER,
    ) for direction in ('sent', 'received') for name in WHEN_AWAY
]

Send = Callable[[ServedApi, Member, bytes], Response]


@dataclass(frozen=True, kw_only=True)
class LateCase(Case):
    """What is held back is carried out when it was long given up, and something else has been sent."""

    part: str = S3
    # Of a member who has nothing yet; all of it gets through.
    before: Send | None = None
    given_up: Send
    # What the client hears of that.
    heard: HTTPStatus
    # The same picture once more, which gets through.
    again: Send


def _send_avatar(api: ServedApi, member: Member, picture: bytes) -> Response:
    return send(api, member, picture, path=AVATAR, method='PUT')


def _delete_only_picture(api: ServedApi, member: Member, _: bytes) -> Response:
    image, = list_images(api, member)
    return api.delete(f'{IMAGES}/{image["id"]}', headers=member.bearer)


_deleted_late = partial(
    LateCase,
    fault='a deletion that was given up is carried out late',
    holds='the same picture, sent again in the meantime, stays',
)
_stored_late = partial(
    LateCase,
    fault='a file that was given up is stored late',
    holds='a 503; the same picture, sent again in the meantime, stays, and the sweep takes the rest',
    heard=HTTPStatus.SERVICE_UNAVAILABLE,
)
DELETED_LATE = [
    _deleted_late(
        meanwhile='assets_delete_own',
        before=send,
        given_up=_delete_only_picture,
        heard=HTTPStatus.SERVICE_UNAVAILABLE,
        again=send,
        quick=True,
    ),
    _deleted_late(
        meanwhile='assets_upload',
        given_up=lambda api, member, picture: send(api, member, picture, b'no picture'),
        heard=HTTPStatus.BAD_REQUEST,
        again=send,
    ),
    _deleted_late(
        meanwhile='avatar_set_avatar',
        before=_send_avatar,
        given_up=lambda api, member, _: _send_avatar(api, member, new_picture()),
        heard=HTTPStatus.OK,
        again=_send_avatar,
    ),
    _deleted_late(
        meanwhile='avatar_reset_avatar',
        before=_send_avatar,
        given_up=lambda api, member, _: api.delete(AVATAR, headers=member.bearer),
        heard=HTTPStatus.OK,
        again=_send_avatar,
    ),
]
STORED_LATE = [
    _stored_late(meanwhile='assets_upload', given_up=send, again=send),
    _stored_late(meanwhile='avatar_set_avatar', given_up=_send_avatar, again=_send_avatar),
]


@pytest.fixture(name='s3', scope='module')
def _s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    with MotoServer(tmp_path_factory.mktemp('s3')) as server:
        yield server


@pytest.fixture(name='proxy', scope='module')
def _proxy(s3: MotoServer) -> Iterator[TcpProxy]:
    with TcpProxy.before(s3.url) as proxy:
        yield proxy


@pytest.fixture(name='service', scope='module')
def _service(tmp_path_factory: pytest.TempPathFactory, postgres_url: str, s3: MotoServer,
             proxy: TcpProxy) -> Iterator[Service]:
    bucket = s3.make_bucket()

    def stored() -> set[str]:
        pages = s3.client.get_paginator('list_objects_v2').paginate(Bucket=bucket)
        return {item['Key'] for page in pages for item in page.get('Contents', [])}

    environ = {
        **AWS_ENVIRON,
        'WHITELISTED_EMAILS': ','.join(WHITELIST),
        'S3_BUCKET': bucket,
        'AWS_ENDPOINT_URL_S3': f'http://127.0.0.1:{proxy.port}',
        'AWS_REGION': 'us-east-1',
    }
    with copy_of(postgres_url) as url:
        with ServedApi(tmp_path_factory.mktemp('service'), url, environ) as api:
            yield Service(api=api, database_url=url, stored=stored)


@for_each(CASES)
def test_a_broken_way(service: Service, proxy: TcpProxy, case: FileCase) -> None:
    attempt = case.prepare(service.api)
    try:
        (AWAY | TROUBLE)[case.fault](proxy)
        response = attempt.send()
    finally:
        proxy.forward()

    check_suffered(service, attempt, response, case.outcome)
    check_mended(service, attempt)


@for_each(CUT_CASES)
def test_a_connection_that_is_cut(service: Service, proxy: TcpProxy, case: FileCase) -> None:
    for number in CUTS:
        attempt = case.prepare(service.api)
        way = CutAfter(number, to_server=case.fault.endswith('sent'))
        try:
            proxy.go_by(way)
            response = attempt.send()
        finally:
            proxy.forward()

        check_suffered(service, attempt, response, case.outcome)
        check_mended(service, attempt)
        if not way.has_cut:
            return
    raise AssertionError('no request says so much')


@dataclass(frozen=True)
class Late:
    """The picture was sent again, and what was given up before is still to come."""

    way: HeldBack
    member: Member
    picture: bytes


@contextmanager
def _sent_again(service: Service, proxy: TcpProxy, case: LateCase, method: str) -> Iterator[Late]:
    api = service.api
    late = Late(HeldBack(method), join(api), new_picture())
    if case.before is not None:
        ok(case.before(api, late.member, late.picture))
    try:
        proxy.go_by(late.way)
        response = case.given_up(api, late.member, late.picture)
        assert response.status_code == case.heard, response.text
        proxy.forward()
        ok(case.again(api, late.member, late.picture))
        yield late
    finally:
        proxy.forward()
        late.way.let_go()

    service.check()
    ok(case.again(api, late.member, late.picture))
    service.check()


@for_each(DELETED_LATE)
def test_a_deletion_that_comes_late(service: Service, proxy: TcpProxy, case: LateCase) -> None:
    with _sent_again(service, proxy, case, 'DELETE') as late:
        before = service.stored()
        late.way.let_go()
        wait_until(lambda: service.stored() != before, 'the deletion is carried out')


@for_each(STORED_LATE)
def test_a_file_that_comes_late(service: Service, proxy: TcpProxy, s3: MotoServer, case: LateCase) -> None:
    with _sent_again(service, proxy, case, 'PUT') as late:
        for path in late.way.paths:
            # As S3 would do it: moto, which asks for the content when it has read the head, does not get it.
            bucket, _, key = path.removeprefix('/').partition('/')
            s3.client.put_object(Bucket=bucket, Key=key, Body=b'late')
        assert late.way.paths
