import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, Response, jsonify

from talelio_backend.shared.business.errors import Invalid
from talelio_backend.shared.presentation.caching.finalize_response import add_response_finalizer
from talelio_backend.shared.presentation.errors.handlers import add_error_handlers
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.schemas import Answer

LONG = 'word ' * 1000
OLD = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
GZIP = {'Accept-Encoding': 'gzip'}


class Letter(Answer):
    words: str = LONG
    updated_at: datetime | None = OLD


def ask(view: Callable[[], Response], method: str = 'GET', headers: dict[str, str] | None = None) -> Any:
    app = Flask(__name__)
    add_response_finalizer(app)
    add_error_handlers(app)
    app.add_url_rule('/', view_func=view, methods=['GET', 'POST', 'PATCH', 'PUT', 'DELETE'])
    return app.test_client().open('/', method=method, headers=headers)


def letter() -> Response:
    return model_response(Letter())


def text() -> Response:
    return jsonify(LONG)


def refuse() -> Response:
    raise Invalid('What went wrong')


def test_a_read_has_validators_and_is_revalidated() -> None:
    first = ask(letter)

    assert first.headers['Cache-Control'] == 'public, no-cache'
    assert first.headers['Last-Modified'] == 'Fri, 02 Jan 2026 03:04:05 GMT'
    tag = first.headers['ETag']
    assert tag.startswith('"') and ask(letter).headers['ETag'] == tag != ask(text).headers['ETag']
    for headers in ({'If-None-Match': tag}, {'If-Modified-Since': first.headers['Last-Modified']}):
        again = ask(letter, headers=headers)
        assert (again.status_code, again.data) == (304, b'')
        assert again.headers['ETag'] == tag
        assert again.headers['Cache-Control'] == 'public, no-cache'
        assert again.headers['Vary'] == 'Authorization, Origin, Accept-Encoding'
        assert 'Content-Type' not in again.headers


def test_an_authenticated_response_is_private() -> None:
    answer_ = ask(letter, headers={'Authorization': 'Bearer x'})

    assert answer_.headers['Cache-Control'] == 'private, no-cache'
    assert 'ETag' in answer_.headers


def test_head_has_the_headers_of_get() -> None:
    full, bare = ask(letter, headers=GZIP), ask(letter, 'HEAD', GZIP)

    assert (bare.status_code, bare.data) == (200, b'')
    assert bare.headers == full.headers


def test_a_failed_precondition_is_an_error() -> None:
    answer_ = ask(letter, headers={'If-Match': '"other"'})

    assert answer_.status_code == 412
    assert answer_.json['error']['code'] == 'precondition_failed'
    assert answer_.headers['Cache-Control'] == 'no-store'
    assert 'ETag' not in answer_.headers and 'Last-Modified' not in answer_.headers


@pytest.mark.parametrize('method', ['POST', 'PUT', 'DELETE'])
def test_the_response_to_a_write_is_not_stored(method: str) -> None:
    answer_ = ask(letter, method, headers={'If-None-Match': '*'} | GZIP)

    assert answer_.status_code == 200
    assert answer_.headers['Cache-Control'] == 'no-store'
    assert not {'ETag', 'Last-Modified', 'Content-Encoding'} & set(answer_.headers.keys())


def test_the_response_to_a_change_has_the_new_tag() -> None:
    changed = ask(letter, 'PATCH', GZIP)

    assert changed.headers['ETag'] == ask(letter).headers['ETag']
    assert changed.headers['Cache-Control'] == 'no-store'


def test_an_error_is_not_stored() -> None:
    answer_ = ask(refuse, headers={'If-None-Match': '*'})

    assert answer_.status_code == 400
    assert answer_.headers['Cache-Control'] == 'no-store'
    assert 'ETag' not in answer_.headers


def test_a_no_store_response_has_no_tag_and_no_coding() -> None:

    @described('Show the moment', responses={200: Letter}, no_store=True)
    def moment() -> Response:
        return letter()

    answer_ = ask(moment, headers={'If-None-Match': '*'} | GZIP)

    assert (answer_.status_code, answer_.headers['Cache-Control']) == (200, 'no-store')
    assert not {'ETag', 'Last-Modified', 'Content-Encoding'} & set(answer_.headers.keys())


def test_last_modified_is_omitted_in_the_first_second() -> None:

    def fresh() -> Response:
        return model_response(Letter(updated_at=datetime.now(UTC)))

    assert 'Last-Modified' not in ask(fresh).headers
    ahead = datetime.now(UTC) + timedelta(days=1)
    assert 'Last-Modified' not in ask(lambda: model_response(Letter(updated_at=ahead))).headers


def test_a_view_may_override_headers() -> None:

    def own() -> Response:
        response = text()
        response.headers['Cache-Control'] = 'public, max-age=300'
        response.headers['Content-Security-Policy'] = "default-src 'self'"
        response.set_etag('own')
        return response

    answer_ = ask(own, headers=GZIP)

    assert answer_.headers['Cache-Control'] == 'public, max-age=300'
    assert answer_.headers['Content-Security-Policy'] == "default-src 'self'"
    assert answer_.headers['ETag'] == '"own-gzip"'
    assert ask(own, headers={'If-None-Match': '"own"'}).status_code == 304


@pytest.mark.parametrize('view', [letter, refuse])
def test_every_response_has_security_headers(view: Callable[[], Response]) -> None:
    headers = ask(view).headers

    assert headers['X-Content-Type-Options'] == 'nosniff'
    assert headers['Content-Security-Policy'] == "default-src 'none'; frame-ancestors 'none'"
    assert headers['Referrer-Policy'] == 'no-referrer'
    assert headers['Cross-Origin-Resource-Policy'] == 'same-origin'


@pytest.mark.parametrize(
    ('accepted', 'coded'),
    [
        ('gzip', True),
        ('GZIP', True),
        ('gzip, deflate, br, zstd', True),
        ('br;q=1, gzip;q=0.1', True),
        ('*', True),
        ('identity;q=0.5, gzip;q=0.5', True),
        ('identity;q=0, gzip', True),
        ('', False),
        ('identity', False),
        ('br, zstd', False),
        ('gzip;q=0', False),
        ('gzip;q=0, *', False),
        ('*;q=0', False),
        ('identity, gzip;q=0.5', False),
        # Nothing that we have: better than a 406.
        ('identity;q=0', False),
        ('nonsense;;q=x', False),
    ],
)
def test_the_coding_is_negotiated(accepted: str, coded: bool) -> None:
    plain = ask(letter, headers={'Accept-Encoding': 'identity'})

    answer_ = ask(letter, headers={'Accept-Encoding': accepted})

    assert answer_.headers.get('Content-Encoding') == ('gzip' if coded else None)
    assert (gzip.decompress(answer_.data) if coded else answer_.data) == plain.data
    assert int(answer_.headers['Content-Length']) == len(answer_.data)
    assert (len(answer_.data) < len(plain.data) / 3) is coded
    assert (answer_.headers['ETag'] == plain.headers['ETag']) is not coded


def test_compression_is_deterministic() -> None:
    assert ask(letter, headers=GZIP).data == ask(letter, headers=GZIP).data


def test_a_compressed_response_is_revalidated_by_its_own_tag() -> None:
    tag = ask(letter, headers=GZIP).headers['ETag']

    assert ask(letter, headers=GZIP | {'If-None-Match': tag}).status_code == 304
    assert ask(letter, headers={'If-None-Match': tag}).status_code == 200


def test_short_responses_and_images_are_not_compressed() -> None:
    assert 'Content-Encoding' not in ask(lambda: jsonify('x' * 1000), headers=GZIP).headers
    picture = Response(LONG.encode(), mimetype='image/png')
    assert 'Content-Encoding' not in ask(lambda: picture, headers=GZIP).headers
