"""All kinds of requests at once, in the proportions of a site that is read far more than it is written."""
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any

from tests.benchmarks.http_load import Answers, Script, Scripts, get, message, post
from tests.benchmarks.logins import log_in
from tests.benchmarks.processes import memory_of
from tests.benchmarks.results import Row, Spread, Target, in_ms, percentile, slope
from tests.benchmarks.rig import BODY, Rig

# Of a thousand requests: 95 reads to 4 writes to 1 login.
_SHARES = {
    'list': 300,
    'list, gzip': 250,
    'project': 250,
    'not modified': 150,
    'publish': 16,
    'change': 16,
    'delete': 6,
    'upload': 2,
    'login': 10,
}
# Of which the first one answers, and the other tells to come back.
_EXPECTED = {'publish': 201, 'delete': 204, 'not modified': 304}
_TOLD_TO_RETRY = (429, 503)
_MEMORY = Target(200.0, at_most=True)
_FLAT = Target(0.1, at_most=True)
# What the first tenth brings up, such as the processes that decode, is no leak.
_WARMED = 0.2
_SAMPLES = 40


@dataclass(frozen=True)
class _Visitor:
    """What a client needs to know, as it is sent to the process that it runs in."""

    number: int
    bearer: dict[str, str]
    reads: dict[str, bytes]
    login: bytes
    upload: bytes


def mixed(rig: Rig) -> list[Row]:
    seconds = rig.pace.mixed_seconds
    visitors = [_visitor(rig, number) for number in range(rig.pace.clients)]
    scripts: Scripts = partial(_visits, visitors)
    load = rig.start(rig.service.url, scripts, seconds=seconds, warm_up=0.0)
    memory: list[tuple[float, float]] = []
    began = time.monotonic()
    while not load.done():
        memory.append((time.monotonic() - began, memory_of(rig.service.pid) / 2**20))
        time.sleep(seconds / _SAMPLES)
    rows = [*_rows_of(load.result()), *_rows_of_memory(memory)]
    time.sleep(rig.pace.rest_seconds)
    at_rest = _single(memory_of(rig.service.pid) / 2**20)
    return [*rows, Row(group='mixed', name='memory at rest', unit='MiB', measured=at_rest, target=_MEMORY)]


def _rows_of(responses: Answers) -> Iterator[Row]:
    for kind in _SHARES:
        latencies = responses.latencies[kind]
        yield Row(
            group='mixed',
            name=f'mixed: {kind}',
            unit='/s',
            measured=_single(responses.rate(kind)),
            p50_ms=in_ms(percentile(latencies, 50)),
            p99_ms=in_ms(percentile(latencies, 99)),
        )
    told = sum(number for (_, status), number in responses.statuses.items() if status in _TOLD_TO_RETRY)
    failed = sum(
        number for (kind, status), number in responses.statuses.items()
        if status not in (_EXPECTED.get(kind, 200), *_TOLD_TO_RETRY)
    )
    yield Row(group='mixed', name='mixed: all', unit='/s', measured=_single(responses.rate()))
    yield Row(group='mixed', name='mixed: told to come back', unit='answers', measured=_single(told))
    yield Row(
        group='mixed',
        name='mixed: errors',
        unit='answers',
        measured=_single(failed),
        target=Target(0, at_most=True),
    )


def _rows_of_memory(memory: list[tuple[float, float]]) -> Iterator[Row]:
    warmed = [point for point in memory if point[0] >= memory[-1][0] * _WARMED]
    yield Row(group='mixed', name='memory at the start', unit='MiB', measured=_single(memory[0][1]))
    yield Row(
        group='mixed', name='memory, all samples', unit='MiB', measured=Spread.of([mib for _, mib in memory])
    )
    # A picture that is being decoded is no part of what the server holds: the least of the last fifth.
    last = [mib for seconds, mib in memory if seconds >= memory[-1][0] * 0.8]
    yield Row(
        group='mixed',
        name='memory at the end',
        unit='MiB',
        measured=Spread(min(last), min(last), max(last)),
        target=_MEMORY
    )
    yield Row(
        group='mixed',
        name='memory grows by',
        unit='MiB/s',
        measured=_single(slope(_floor_of(warmed))),
        target=_FLAT
    )


def _floor_of(memory: list[tuple[float, float]], width: int = 4) -> list[tuple[float, float]]:
    """The least of each few samples, for between them pictures come and go."""
    return [min(memory[at:at + width], key=lambda point: point[1]) for at in range(0, len(memory), width)]


def _single(value: float) -> Spread:
    return Spread(value, value, value)


def _visitor(rig: Rig, number: int) -> _Visitor:
    path = rig.owner.projects_path
    shown = rig.service.get(path, headers={'Accept-Encoding': 'identity'})
    return _Visitor(
        number=number,
        bearer=rig.members[number].bearer,
        reads={
            'list': get(path),
            'list, gzip': get(path, Accept_Encoding='gzip'),
            'project': get(f'/v1/projects/{shown.json()[number % len(shown.json())]["id"]}'),
            # After each publication of somebody else it is still the same.
            'not modified': get(path, If_None_Match=shown.headers['ETag']),
        },
        login=log_in(rig.members[rig.pace.clients + number]),
        upload=rig.uploads[number % len(rig.uploads)],
    )


def _visits(visitors: list[_Visitor]) -> list[Script]:
    return [_visit(visitor) for visitor in visitors]


def _visit(visitor: _Visitor) -> Script:
    kinds = [kind for kind, share in _SHARES.items() for _ in range(share)]
    random.Random(visitor.number).shuffle(kinds)
    own: list[int] = []
    for number, kind in enumerate(cycle(kinds)):
        if kind in ('change', 'delete') and not own:
            kind = 'publish'
        status, body = yield kind, _request(visitor, kind, own, number)
        if kind == 'publish' and status == 201:
            project: dict[str, Any] = json.loads(bytes(body))
            own.append(project['id'])
        elif kind == 'delete' and status == 204:
            own.pop(0)


def _request(visitor: _Visitor, kind: str, own: list[int], number: int) -> bytes:
    if kind in visitor.reads:
        return visitor.reads[kind]
    if kind == 'login':
        return visitor.login
    if kind == 'upload':
        return visitor.upload
    if kind == 'delete':
        return message('DELETE', f'/v1/projects/{own[0]}', visitor.bearer)
    text = {'title': f'Chair {visitor.number}-{number}', 'body': f'{BODY}\n\n{number}'}
    if kind == 'publish':
        return post('/v1/projects', json.dumps(text).encode(), **visitor.bearer)
    headers = visitor.bearer | {'Content_Type': 'application/json'}
    return message('PATCH', f'/v1/projects/{own[-1]}', headers, json.dumps(text).encode())
