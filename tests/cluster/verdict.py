"""What must hold of a cluster, whatever was lost; each function returns what does not."""
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from http import HTTPStatus

from talelio_backend.shared.data.change_listener import LEASE
from tests.cluster.load import TOLD_TO_RETRY, Person, Reader, Writer
from tests.cluster.world import World
from tests.faults.invariants import broken_rows
from tests.support.answers import ok
from tests.support.at_once import at_once
from tests.support.database import connect, select_one
from tests.support.members import Member, join, publish
from tests.support.prometheus import total
from tests.support.served_api import ServedApi
from tests.support.traefik_rig import new_address
from tests.support.waiting import wait_until

# Seconds between the moment at which a server decided upon a response and what its reader measures.
SLACK = 0.5
# Failed logins of an account before it must wait.
LOGINS = 10
HITS = 'talelio_http_requests_total'


def lost(world: World, writers: Sequence[Writer]) -> Iterator[str]:
    with closing(connect(world.writer_url)) as database:
        for writer in writers:
            title = 'SELECT title FROM projects WHERE id = %s'
            number = int(select_one(database, title, writer.project_id))
            # The last one asked for may have been done unacknowledged.
            if number < writer.numbers[-1][1]:
                yield f'lost: {writer.path} is {number} instead of {writer.numbers[-1][1]}'
            for published in writer.published:
                copies = select_one(database, 'SELECT count(*) FROM projects WHERE title = %s', published)
                if copies != 1:
                    yield f'{published}, acknowledged once, is there {copies} times'
        query = 'SELECT count(*) - count(DISTINCT title) FROM projects WHERE user_id = %s'
        for writer in writers:
            if select_one(database, query, writer.member.account['user']['id']):
                yield 'a request with one key was carried out twice'
        yield from broken_rows(database)


def stale(readers: Sequence[Reader]) -> Iterator[str]:
    for reader in readers:
        for asked, writer, number in reader.seen:
            known = [each for when, each in writer.numbers if when + LEASE + SLACK < asked]
            if known and number < known[-1]:
                yield f'stale: {writer.path} shown as {number}, {known[-1]} long acknowledged'


def unheard(world: World) -> Iterator[str]:
    """While nobody else writes: whoever has cached a response hears of a write at another server."""
    member = join(world.apis[0])
    path = f'/v1/projects/{publish(world.apis[0], member, "old", "text")["id"]}'
    for api in world.apis:
        others = [each for each in world.apis if each is not api]
        for each in others:
            _read_until_cached(each, path)
        ok(api.patch(path, {'title': api.url}, headers=member.bearer))
        written = time.monotonic()
        for each in others:
            asked = written
            while ok(each.get(path))['title'] != api.url:
                if asked > written + LEASE + SLACK:
                    yield f'stale: {each.url} has not heard of what was written at {api.url}'
                    break
                asked = time.monotonic()


def _read_until_cached(api: ServedApi, path: str) -> None:
    before = total(api, HITS, cache='hit')
    wait_until(lambda: api.get(path).ok and total(api, HITS, cache='hit') > before, 'a cached response')


def strange(people: Sequence[Person]) -> Iterator[str]:
    for one in people:
        for outcome in one.outcomes:
            # 409: the first request with this key is still being carried out.
            expected = outcome.is_good or outcome.result in TOLD_TO_RETRY | {'409'}
            if outcome.result.isdigit() and not expected:
                yield f'strange: {outcome.result}'


def inexact(world: World) -> Iterator[str]:
    """Wrong passwords for one account, and requests with one key, at all servers at once."""
    member = join(world.apis[0])
    addresses = iter([new_address() for _ in range(48)])

    def attempt(number: int) -> int:
        wrong = {'email': member.person.email, 'password': 'wrong'}
        headers = {'X-Forwarded-For': next(addresses)}
        api = world.apis[number % len(world.apis)]
        return api.post('/v1/accounts/login', wrong, headers=headers).status_code

    statuses = at_once([partial(attempt, number) for number in range(24)])
    if statuses.count(HTTPStatus.UNAUTHORIZED) != LOGINS:
        yield f'{statuses.count(HTTPStatus.UNAUTHORIZED)} failed logins counted instead of {LOGINS}'
    yield from _inexact_keys(world, join(world.apis[1]))


def _inexact_keys(world: World, member: Member) -> Iterator[str]:

    def attempt(number: int) -> int:
        headers = {**member.bearer, 'Idempotency-Key': 'one-key'}
        project = {'title': 'At once', 'body': 'text'}
        return world.apis[number % len(world.apis)].post('/v1/projects', project, headers=headers).status_code

    statuses = set(at_once([partial(attempt, number) for number in range(12)]))
    with closing(connect(world.writer_url)) as database:
        query = 'SELECT count(*) FROM projects WHERE user_id = %s'
        made = select_one(database, query, member.account['user']['id'])
    if made != 1 or not statuses <= {HTTPStatus.CREATED, HTTPStatus.CONFLICT}:
        yield f'one key made {made} projects, with {statuses}'
