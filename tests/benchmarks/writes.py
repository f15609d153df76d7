"""Publishing, beside a bare INSERT and the rendering."""
import json
from collections.abc import Iterator
from functools import partial
from itertools import count

from tests.benchmarks.http_load import Script, post
from tests.benchmarks.results import Case, Row, Target, measure_in_rounds
from tests.benchmarks.rig import BODY, Rig

_CLIENTS = 8


def publishing(rig: Rig) -> list[Row]:
    members = rig.members[:_CLIENTS]
    # Titles of one run must not meet those of another: a slug that is taken costs more.
    runs = count()

    def bare() -> partial[list[Script]]:
        paths = [f'/publish/{member.account["user"]["id"]}' for member in members]
        return partial(_publishing, [(path, {}) for path in paths], f'Bare {next(runs)}')

    def whole() -> partial[list[Script]]:
        heads = [('/v1/projects', member.bearer) for member in members]
        return partial(_publishing, heads, f'Whole {next(runs)}')

    floor = Case('floor: INSERT … RETURNING and rendering', lambda: rig.measure_scripts(rig.floors, bare()))
    case = Case('publish 2 KB', lambda: rig.measure_scripts(rig.service, whole()), floor, Target(0.7))
    # The first texts start the processes that render.
    floor.measure()
    case.measure()
    return measure_in_rounds('publishing', [floor, case], rig.pace.rounds)


def _publishing(heads: list[tuple[str, dict[str, str]]], run: str) -> list[Script]:
    return [_publish(path, headers, f'{run} by {number}') for number, (path, headers) in enumerate(heads)]


def _publish(path: str, headers: dict[str, str], title: str) -> Script:
    for request in _requests(path, headers, title):
        status, body = yield 'publish', request
        assert status == 201, (status, bytes(body[:500]))


def _requests(path: str, headers: dict[str, str], title: str) -> Iterator[bytes]:
    for number in count():
        body = json.dumps({'title': f'{title}: chair {number}', 'body': BODY}).encode()
        yield post(path, body, **headers)
