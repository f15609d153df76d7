"""Logging in beside bcrypt alone, and what logins and uploads do to whoever reads meanwhile."""
import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import bcrypt

from talelio_backend.app_account.data.bcrypt_hasher import NICENESS
from tests.benchmarks.http_load import Script, Scripts, get, of_clients, post
from tests.benchmarks.results import Case, Row, Sample, Spread, Target, in_ms, measure_in_rounds, percentile
from tests.benchmarks.rig import UPLOADS, Rig
from tests.support.members import Member
from tests.support.served_api import ServedApi

# Enough that both workers always have somebody to log in, and no more than they let wait.
_LOGGING_IN = 8
# A handful of passwords a second is too few to count in the time of other rounds.
_LONGER = 2
# Of the service's two workers together, on up to three cores; see bootstrap.accounts.
_HASHES_AT_ONCE = 2
_PASSWORD = b'x' * 64
_UNDISTURBED = Target(5.0, at_most=True)


def logins(rig: Rig) -> list[Row]:
    scripts = partial(of_clients, log_in(rig.members[-1]), _LOGGING_IN)
    floor = Case('floor: bcrypt alone', lambda: _bcrypt_alone(rig))
    case = Case(
        'login',
        lambda: rig.measure_scripts(rig.service, scripts, seconds=rig.pace.seconds * _LONGER),
        floor,
        Target(0.9),
    )
    return measure_in_rounds('logins', [floor, case], rig.pace.rounds)


def log_in(member: Member) -> bytes:
    return post('/v1/accounts/login', json.dumps(member.person.login).encode())


def _bcrypt_alone(rig: Rig) -> Sample:
    """As many threads as the service has hash, and as ready to let others go first."""
    seconds = rig.pace.seconds * _LONGER
    end = time.perf_counter() + seconds
    salt = bcrypt.gensalt(rig.pace.bcrypt_cost)

    def hash_until_the_end() -> float:
        """Hashes, of which the last one counts by the part that was in time."""
        done = 0.0
        while (began := time.perf_counter()) < end:
            bcrypt.hashpw(_PASSWORD, salt)
            done += min(1.0, (end - began) / (time.perf_counter() - began))
        return done

    cpu = time.process_time()
    with ThreadPoolExecutor(_HASHES_AT_ONCE, initializer=partial(_be_nice, NICENESS)) as threads:
        futures = [threads.submit(hash_until_the_end) for _ in range(_HASHES_AT_ONCE)]
        hashes = sum(future.result() for future in futures)
    return Sample(rate=hashes / seconds, server=time.process_time() - cpu, requests=math.ceil(hashes))


def _be_nice(niceness: int) -> None:
    # Linux's is each thread's own.
    os.setpriority(os.PRIO_PROCESS, 0, niceness)


def undisturbed(rig: Rig) -> list[Row]:
    """How much longer one reader of a list waits during a flood of logins, or of pictures."""
    rows = []
    for kind, api in (('cached', rig.service), ('uncached', rig.uncached)):
        floods: dict[str, Scripts] = {
            f'{rig.pace.clients} clients log in':
            partial(_logging_in, [log_in(each) for each in rig.members[rig.pace.clients:]]),
            f'{UPLOADS} clients upload 12 megapixels':
            partial(_uploading, rig.uploads),
        }
        rows += _undisturbed(rig, kind, api, floods)
    return rows


def _undisturbed(rig: Rig, kind: str, api: ServedApi, floods: dict[str, Scripts]) -> list[Row]:
    idle: list[float] = []
    flooded: dict[str, list[float]] = {name: [] for name in floods}
    for _ in range(rig.pace.rounds):
        idle.append(_median_ms(rig, api))
        for name, scripts in floods.items():
            # It begins before, and ends after.
            flood = rig.start(api.url, scripts, seconds=rig.pace.seconds + 1)
            flooded[name].append(_median_ms(rig, api))
            flood.result()
    rows = [
        Row(
            group='undisturbed',
            name=f'a list, {kind}: p50, nobody else',
            unit='ms',
            measured=Spread.of(idle)
        )
    ]
    for name, medians in flooded.items():
        rows.append(
            Row(
                group='undisturbed',
                name=f'a list, {kind}: p50 while {name}',
                unit='ms',
                measured=Spread.of(medians),
                ratio=Spread.of([slow / quick for slow, quick in zip(medians, idle, strict=True)]),
                target=_UNDISTURBED,
            )
        )
    return rows


def _median_ms(rig: Rig, api: ServedApi) -> float:
    request = get(rig.owner.projects_path)
    responses = rig.start(api.url, partial(_reading, request), seconds=rig.pace.seconds, warm_up=0.5).result()
    return in_ms(percentile(responses.latencies['read'], 50)) or 0.0


def _reading(request: bytes) -> list[Script]:
    return [_again('read', request)]


def _logging_in(requests: list[bytes]) -> list[Script]:
    return [_again('login', request) for request in requests]


def _uploading(requests: list[bytes]) -> list[Script]:
    return [_again('upload', request) for request in requests]


def _again(kind: str, request: bytes) -> Script:
    """Who is told to come back later, does so at once: the worst of all clients."""
    while True:
        status, body = yield kind, request
        assert status in (200, 503), (status, bytes(body[:500]))
