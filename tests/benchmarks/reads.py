"""Reading: what was read before, what has not changed since, and what is read for the first time."""
import gzip
from collections.abc import Iterator

from tests.benchmarks.http_load import get
from tests.benchmarks.results import Case, Row, Target, measure_in_rounds
from tests.benchmarks.rig import Rig

_REPEATED = Target(0.88)
_NOT_MODIFIED = Target(0.88)
_FIRST_LIST = Target(1.6)
_FIRST_PROJECT = Target(1.0)


def repeated(rig: Rig) -> list[Row]:
    """Answers from the cache beside a bare WSGI application that returns the same bytes."""
    cases: list[Case] = []
    for name, path in _paths(rig):
        file = name.replace(' ', '-')
        content = rig.service.get(path).content
        (rig.constants / file).write_bytes(content)
        (rig.constants / f'{file}.gz').write_bytes(gzip.compress(content, 4, mtime=0))
        size = f'{len(content) / 1024:.0f} KiB'
        cases += _beside(
            rig, f'{name}, {size}', get(f'/constant/{file}'), get(path, Accept_Encoding='identity')
        )
        cases += _beside(rig, f'{name}, gzip', get(f'/constant/{file}.gz'), get(path, Accept_Encoding='gzip'))
    return measure_in_rounds('repeated', cases, rig.pace.rounds)


def _beside(rig: Rig, name: str, floor_request: bytes, request: bytes) -> list[Case]:
    floor = Case(f'floor: the same bytes as {name}', lambda: rig.measure(rig.floors, floor_request))
    return [floor, Case(name, lambda: rig.measure(rig.service, request), floor, _REPEATED)]


def not_modified(rig: Rig) -> list[Row]:
    """304 beside an empty answer."""
    floor = Case('floor: an empty 304', lambda: rig.measure(rig.floors, get('/empty'), status=304))
    cases = [floor]
    for name, path in _paths(rig):
        tag = rig.service.get(path, headers={'Accept-Encoding': 'identity'}).headers['ETag']
        cases.append(_not_modified(rig, name, get(path, If_None_Match=tag), floor))
    return measure_in_rounds('not-modified', cases, rig.pace.rounds)


def _not_modified(rig: Rig, name: str, request: bytes, floor: Case) -> Case:
    return Case(f'{name}, 304', lambda: rig.measure(rig.service, request, status=304), floor, _NOT_MODIFIED)


def first(rig: Rig) -> list[Row]:
    """Without the cache, beside one SELECT with SQLAlchemy Core and orjson."""
    (list_name, list_path), (project_name, project_path) = _paths(rig)
    list_floor = _floor(rig, list_name, f'/core/users/{rig.owner.person.username}')
    project_floor = _floor(rig, project_name, f'/core/projects/{project_path.rpartition("/")[2]}')
    by_owner = get(project_path, **rig.owner.bearer)
    cases = [
        list_floor,
        _first(rig, list_name, get(list_path), list_floor, _FIRST_LIST),
        project_floor,
        _first(rig, project_name, get(project_path), project_floor, _FIRST_PROJECT),
        _first(rig, f'{project_name} by its owner', by_owner, project_floor, None),
    ]
    return measure_in_rounds('first', cases, rig.pace.rounds)


def _floor(rig: Rig, name: str, path: str) -> Case:
    return Case(f'floor: Core and orjson, {name}', lambda: rig.measure(rig.floors, get(path)))


def _first(rig: Rig, name: str, request: bytes, floor: Case, target: Target | None) -> Case:
    return Case(f'{name}, first read', lambda: rig.measure(rig.uncached, request), floor, target)


def _paths(rig: Rig) -> Iterator[tuple[str, str]]:
    path = rig.owner.projects_path
    yield 'list of ten', path
    yield 'a project', f'/v1/projects/{rig.service.get(path).json()[0]["id"]}'
