import logging
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from flask import Flask, Response, request
from flask_cors import CORS
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from talelio_backend.shared.business.errors import Invalid
from talelio_backend.shared.presentation.caching import response_cache
from talelio_backend.shared.presentation.caching.conditional_requests import tag_of
from talelio_backend.shared.presentation.caching.finalize_response import add_response_finalizer
from talelio_backend.shared.presentation.caching.response_cache import ResponseCache
from talelio_backend.shared.presentation.errors.handlers import add_error_handlers
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.access_log import add_request_log
from talelio_backend.shared.presentation.requests.environ_keys import CACHE, ROUTE
from talelio_backend.shared.presentation.schemas import Answer

LISTED = 'https://www.example.com'
LISTED_TOO = 'https://other.example.com'
OLD = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MEBIBYTE = 1024 * 1024


class Letter(Answer):
    number: int
    words: str = 'word ' * 1000
    updated_at: datetime | None = OLD


# Of the first one.
TAG = f'"{tag_of(Letter(number=1).model_dump_json().encode())}"'


class FakePublicData:

    def __init__(self) -> None:
        self.value: int | None = 1

    def version(self) -> int | None:
        return self.value

    def change(self) -> None:
        assert self.value is not None
        self.value += 1


class Service:
    """Letters that count how often they were really written."""

    def __init__(self, memory: int = MEBIBYTE) -> None:
        self.public = FakePublicData()
        self.written = count(1)
        self.app = Flask(__name__)
        add_request_log(self.app)
        add_response_finalizer(self.app)
        add_error_handlers(self.app)
        CORS(self.app, origins=[LISTED, LISTED_TOO], supports_credentials=True)
        self.app.add_url_rule('/grüße', 'greetings', self.show)
        for name in ('show', 'moment', 'refuse', 'set_cookie', 'vary', 'interrupted', 'long'):
            self.app.add_url_rule(
                f'/{name}', view_func=getattr(self, name), methods=['GET', 'POST', 'PATCH', 'PUT', 'DELETE']
            )
        self.app.wsgi_app = ResponseCache(  # type: ignore[method-assign]
            self.app.wsgi_app, self.public, memory=memory, origins=[LISTED, LISTED_TOO]
        )

    def show(self) -> Response:
        return model_response(Letter(number=next(self.written)))

    @described('Show a moment', responses={200: Letter}, no_store=True)
    def moment(self) -> Response:
        return self.show()

    def refuse(self) -> Response:
        raise Invalid(f'Refused {next(self.written)}')

    def set_cookie(self) -> Response:
        response = self.show()
        response.set_cookie('name', 'value')
        return response

    def vary(self) -> Response:
        response = self.show()
        response.vary.add('Accept-Language')
        return response

    def interrupted(self) -> Response:
        response = self.show()
        self.public.change()
        return response

    def long(self) -> Response:
        return model_response(Letter(number=next(self.written), words='x' * int(request.args['size'])))

    def ask(self, path: str = '/show', method: str = 'GET', **headers: str) -> Any:
        named = {name.replace('_', '-'): value for name, value in headers.items()}
        return self.app.test_client().open(path, method=method, headers=named)


def number_of(response: Any) -> int:
    number: int = response.json['number']
    return number


def test_a_cached_response_is_sent_until_a_change() -> None:
    service = Service()

    first, second = service.ask(), service.ask()
    service.public.change()
    third = service.ask()

    assert [number_of(each) for each in (first, second, third)] == [1, 1, 2]
    assert second.data == first.data
    own = {'X-Request-ID'}
    assert {
        k: v
        for k, v in first.headers if k not in own
    } == {
        k: v
        for k, v in second.headers if k not in own
    }


def test_each_response_has_its_own_id_and_log_line(caplog: pytest.LogCaptureFixture) -> None:
    service = Service()
    caplog.set_level(logging.INFO)

    answers = [service.ask(), service.ask(), service.ask(X_Request_ID='given-by-the-proxy')]

    ids = [each.headers['X-Request-ID'] for each in answers]
    assert len(set(ids)) == 3 and ids[2] == 'given-by-the-proxy'
    lines = [record for record in caplog.records if record.message == 'GET /show 200']
    assert [(line.__dict__['status'], line.__dict__['remote_address']) for line in lines] == \
        [(200, '127.0.0.1')] * 3


def test_a_path_is_logged_decoded(caplog: pytest.LogCaptureFixture) -> None:
    service = Service()
    caplog.set_level(logging.INFO)

    for _ in range(2):
        service.ask('/gr%C3%BC%C3%9Fe')

    assert [record.message for record in caplog.records] == ['GET /grüße 200'] * 2


def test_the_environ_contains_the_cache_result() -> None:
    service = Service()

    def last_request(path: str = '/show', **headers: str) -> tuple[str, str]:
        # A test client would give the application a copy.
        environ = EnvironBuilder(path, headers=Headers(headers)).get_environ()
        for _ in service.app.wsgi_app(environ, lambda *_: lambda content: content):
            pass
        return environ[ROUTE], environ[CACHE]

    assert [last_request(), last_request()] == [('/show', 'miss'), ('/show', 'hit')]
    assert last_request(Authorization='Bearer x') == ('/show', 'bypass')
    service.public.value = None
    assert last_request() == ('/show', 'bypass')


def test_an_unknown_version_bypasses_the_cache() -> None:
    service = Service()
    service.ask()
    service.public.value = None

    assert [number_of(service.ask()) for _ in range(2)] == [2, 3]


def test_a_response_read_before_a_change_is_not_cached() -> None:
    service = Service()

    assert [number_of(service.ask('/interrupted')) for _ in range(2)] == [1, 2]


@pytest.mark.parametrize(
    'headers',
    [
        {'Authorization': 'Bearer x'},
        {'Origin': 'https://elsewhere.example.com'},
        {'If_Match': '*'},
        {'If_Unmodified_Since': 'Fri, 02 Jan 2026 03:04:05 GMT'},
        {'Transfer_Encoding': 'chunked'},
    ],
    ids=lambda headers: next(iter(headers)),
)  # yapf: disable
def test_a_request_with_other_relevant_headers_bypasses_the_cache(headers: dict[str, str]) -> None:
    service = Service()
    service.ask()

    assert [number_of(service.ask(**headers)) for _ in range(2)] == [2, 3]
    assert number_of(service.ask()) == 1


def test_a_request_with_a_body_bypasses_the_cache() -> None:
    service = Service()
    service.ask()

    assert number_of(service.app.test_client().get('/show', data=b'body')) == 2


@pytest.mark.parametrize('path', ['/moment', '/set_cookie', '/vary'])
def test_a_private_response_is_not_cached(path: str) -> None:
    service = Service()

    assert [number_of(service.ask(path)) for _ in range(2)] == [1, 2]


def test_an_error_is_not_cached() -> None:
    service = Service()

    messages = [service.ask('/refuse').json['error']['message'] for _ in range(2)]

    assert messages == ['Refused 1', 'Refused 2']


@pytest.mark.parametrize(
    'other', [
        {'Host': 'other.test'},
        {'Origin': LISTED},
        {'Origin': LISTED_TOO},
        {'Accept_Encoding': 'gzip'},
    ], ids=str
)  # yapf: disable
def test_each_part_of_the_key_selects_another_response(other: dict[str, str]) -> None:
    service = Service()

    plain = service.ask()
    first, second = service.ask(**other), service.ask(**other)
    paths = [number_of(service.ask(path)) for path in ('/show?a=1', '/show?a=2', '/show?a=1')]

    assert first.data == second.data != plain.data
    assert first.headers.get('Access-Control-Allow-Origin') == \
        second.headers.get('Access-Control-Allow-Origin')
    assert paths == [3, 4, 3]


def test_a_response_is_compressed_once_for_all_clients() -> None:
    service = Service()

    answers = [service.ask(Accept_Encoding=value) for value in ('gzip', 'gzip, deflate, br, zstd', '*')]

    assert {each.headers['Content-Encoding'] for each in answers} == {'gzip'}
    assert len({each.data for each in answers}) == 1


@pytest.mark.parametrize(
    ('headers', 'status'),
    [
        ({'If_None_Match': TAG}, 304),
        ({'If_None_Match': f'"other", W/{TAG}'}, 304),
        ({'If_None_Match': '*'}, 304),
        ({'If_None_Match': '"other"'}, 200),
        # It counts for nothing beside a tag.
        ({'If_None_Match': '"other"', 'If_Modified_Since': 'Fri, 02 Jan 2026 03:04:05 GMT'}, 200),
        ({'If_Modified_Since': 'Fri, 02 Jan 2026 03:04:05 GMT'}, 304),
        ({'If_Modified_Since': 'Fri, 02 Jan 2026 03:04:04 GMT'}, 200),
        ({'If_Modified_Since': 'some day'}, 200),
    ],
    ids=str,
)  # yapf: disable
@pytest.mark.parametrize('method', ['GET', 'HEAD'])
def test_conditions_are_evaluated_for_cached_responses(
    headers: dict[str, str], status: int, method: str
) -> None:
    service, without = Service(), Service()
    without.public.value = None
    service.ask()

    kept = service.ask(method=method, **headers)
    fresh = without.ask(method=method, **headers)

    assert kept.status_code == fresh.status_code == status
    assert kept.data == fresh.data
    assert sorted(set(kept.headers) - {('X-Request-ID', kept.headers['X-Request-ID'])}) == \
        sorted(set(fresh.headers) - {('X-Request-ID', fresh.headers['X-Request-ID'])})


def test_a_condition_sees_the_write_of_its_own_request() -> None:
    service = Service()
    tag = service.ask().headers['ETag']
    service.public.change()
    service.written = count(1)

    unchanged = service.ask(If_None_Match=tag)

    assert unchanged.status_code == 304
    assert number_of(service.ask()) == 1


def test_head_has_the_headers_alone() -> None:
    service = Service()

    shown = service.ask()
    head = service.ask(method='HEAD')

    assert (head.status_code, head.data) == (200, b'')
    assert head.headers['ETag'] == shown.headers['ETag']
    assert head.headers['Content-Length'] == shown.headers['Content-Length']


@pytest.mark.parametrize('method', ['POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS'])
def test_other_methods_are_not_cached(method: str) -> None:
    service = Service()

    first, second = (service.ask('/refuse', method=method) for _ in range(2))

    assert first.status_code == second.status_code
    if method != 'OPTIONS':
        assert first.data != second.data
    assert number_of(service.ask()) == (1 if method == 'OPTIONS' else 3)


def test_the_memory_is_limited() -> None:
    service = Service(memory=MEBIBYTE)

    def kept(size: int, number: int) -> bool:
        path = f'/long?size={size}&number={number}'
        return number_of(service.ask(path)) == number_of(service.ask(path))

    assert kept(100_000, 0)
    assert not kept(200_000, 0), 'more than an eighth'
    for number in range(1, 20):
        assert kept(100_000, number)
    first = number_of(service.ask('/long?size=100000&number=19'))
    assert first == number_of(service.ask('/long?size=100000&number=19'))
    assert number_of(service.ask('/long?size=100000&number=0')) > first, 'the oldest made room'


def test_long_queries_count_towards_the_memory() -> None:
    service = Service(memory=MEBIBYTE)
    first = number_of(service.ask(f'/long?size=1&{"x" * 100_000}'))

    for number in range(20):
        service.ask(f'/long?size=1&{number}{"x" * 100_000}')

    assert number_of(service.ask(f'/long?size=1&{"x" * 100_000}')) > first


def test_used_responses_stay_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(memory=MEBIBYTE)
    favourite = number_of(service.ask('/long?size=100000&favourite'))

    for number in range(30):
        service.ask(f'/long?size=100000&number={number}')
        assert number_of(service.ask('/long?size=100000&favourite')) == favourite

    # Until it has been kept for long enough.
    monkeypatch.setattr(response_cache, 'MAX_AGE', -1.0)
    assert number_of(service.ask('/long?size=100000&favourite')) > favourite
