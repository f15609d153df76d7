"""Reading what somebody with many projects has, beside the same of somebody with ten.

`make bench BENCH_ARGS=growth`. Two databases of one PostgreSQL, a service each, neither with its cache of
answers. Titles and texts are of a few words, so that there is little else to a request than to find them. One
client asks at a time. What is compared is the processor time of service and PostgreSQL together: all is in
memory, and unlike the time on the clock it does not depend on what else the machine does.
"""
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from runpy import run_module
from urllib.parse import urlencode

from talelio_backend.app_project.business.domain.list_query import Cursor, Sort
from talelio_backend.app_project.presentation.cursors import write_cursor
from tests.benchmarks.growth_data import FOUND, OWNER, TAG, WORD, Data, Size, load
from tests.benchmarks.http_load import Script, get
from tests.benchmarks.results import Case, Row, Sample, Target, measure_in_rounds
from tests.benchmarks.rig import Rig
from tests.support.served_api import ServedApi

_SMALL = Size(10, 10)
_COST = Target(1.2, at_most=True)
# There are many cases, and a request takes a millisecond or two.
_SHORTER = 2
_LIST = f'/v1/users/{OWNER}/projects'
# What a list is sorted by, and whether downwards.
_ORDERS = {
    Sort.NEWEST: ('id', True),
    Sort.OLDEST: ('id', False),
    Sort.TITLE: ('lower(title)', False),
    Sort.POSITION: ('position', False),
    Sort.PUBLISHED_AT: ('coalesce(published_at, created_at)', True),
    Sort.UPDATED_AT: ('coalesce(updated_at, created_at)', True),
}
# Of ten, there are four more below.
_FAR_DOWN = 0.6
_FIRST_PAGE, _FURTHER_PAGE = 5, 3


@dataclass(frozen=True)
class _Side:
    size: Size
    data: Data
    api: ServedApi

    def paths(self) -> Iterator[tuple[str, list[str]]]:
        """The cases, and what is asked in each by turns."""
        for sort, (value, down) in _ORDERS.items():
            yield f'first page, {sort.value}', [_list(limit=_FIRST_PAGE, sort=sort.value)]
            place, id_ = self.data.place(value, down, _FAR_DOWN)
            cursor = write_cursor(sort, Cursor(value=place, id=id_))
            yield f'far down, {sort.value}', [_list(limit=_FURTHER_PAGE, sort=sort.value, cursor=cursor)]
        yield 'a project by id', [f'/v1/projects/{id_}' for id_, _ in self.data.some]
        yield 'a project by slug', [f'{_LIST}/{slug}' for _, slug in self.data.some]
        yield f'tag that {FOUND} have', [_list(limit=FOUND, tag=TAG)]
        yield f'search that finds {FOUND}', [_list(limit=FOUND, q=WORD)]


def growth(rig: Rig) -> list[Row]:
    small = _side(rig, _SMALL)
    large = _side(rig, Size(*rig.pace.growth))
    cases: list[Case] = []
    for (name, few), (_, many) in zip(small.paths(), large.paths(), strict=True):
        floor = Case(f'{name}: {small.size}', partial(_measure, rig, small.api, few), unit='ms')
        own = Case(f'{name}: {large.size}', partial(_measure, rig, large.api, many), floor, _COST, 'ms')
        cases += floor, own
    return measure_in_rounds('growth', cases, rig.pace.rounds)


def _side(rig: Rig, size: Size) -> _Side:
    name = f'growth_{size.of}'
    data = load(rig.database_url, name, size, partial(print, file=sys.stderr, flush=True))
    api = rig.closing.enter_context(rig.server(name, {'DATABASE_URL': data.url, 'CACHE_MEMORY': '0'}))
    for path, total in (_list(), size.own), (_list(q=WORD), FOUND), (_list(tag=TAG), FOUND):
        assert api.get(path).headers['X-Total-Count'] == str(total), path
    return _Side(size, data, api)


def _measure(rig: Rig, api: ServedApi, paths: list[str]) -> Sample:
    """The milliseconds of a request are the sample's rate."""
    requests = [get(path) for path in paths]
    seconds = rig.pace.seconds / _SHORTER
    sample = rig.measure_scripts(api, partial(_by_turns, requests), seconds=seconds, warm_up=0.1)
    return replace(sample, rate=(sample.server + sample.database) / sample.requests * 1000)


def _by_turns(requests: list[bytes]) -> list[Script]:
    return [_ask(requests)]


def _ask(requests: list[bytes]) -> Script:
    for request in cycle(requests):
        status, body = yield 'request', request
        assert status == 200, (status, bytes(body[:500]))


def _list(**parameters: object) -> str:
    return f'{_LIST}?{urlencode(parameters)}'


if __name__ == '__main__':
    sys.argv.insert(1, 'growth')
    run_module('tests.benchmarks', run_name='__main__')
