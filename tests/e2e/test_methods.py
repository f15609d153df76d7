"""Every path of the service: its methods, and what holds for whatever it answers."""
import re
from http import HTTPStatus

import pytest

from talelio_backend.bootstrap import build
from talelio_backend.settings import Settings
from tests.support.answers import error_in
from tests.support.members import Member
from tests.support.served_api import SECRET_KEY, ServedApi

ORIGIN = 'http://localhost:3000'
_PARAMETER = re.compile(r'<(?:\w+(?:\(.*?\))?:)?(\w+)>')
METHODS = ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE')
EXAMPLES = {'username': 'nobody', 'token': 'x', 'key': '1/images/x.jpg'}


def paths() -> dict[str, set[str]]:
    """The methods of every path, from the routes themselves."""
    settings = Settings.from_env({'SECRET_KEY': SECRET_KEY, 'IMAGE_FOLDER': '/nowhere'})
    backend = build(settings, 'postgresql+psycopg2://nobody@127.0.0.1:1/none')
    backend.close()
    matcher = backend.app.url_map.bind('api.test')
    rules = [rule.rule for rule in backend.app.url_map.iter_rules()]
    examples = [_PARAMETER.sub(lambda match: EXAMPLES.get(match[1], '1'), rule) for rule in rules]
    # A path may be an example of more than one rule.
    return {path: set(matcher.allowed_methods(path)) for path in examples}


PATHS = paths()


def allowed(response_headers: object) -> set[str]:
    return set(str(response_headers).split(', '))


@pytest.mark.parametrize('path', PATHS)
def test_options_names_the_methods_and_does_nothing(api: ServedApi, path: str) -> None:
    response = api.request('OPTIONS', path)

    assert (response.status_code, response.content) == (HTTPStatus.OK, b'')
    assert allowed(response.headers['Allow']) == PATHS[path]


@pytest.mark.parametrize('path', PATHS)
@pytest.mark.parametrize('method', METHODS)
def test_a_method_that_the_path_lacks_is_405_with_those_that_it_has(
    api: ServedApi, path: str, method: str
) -> None:
    response = api.request(method, path, headers={'Origin': ORIGIN})

    if method in PATHS[path]:
        assert response.status_code != HTTPStatus.METHOD_NOT_ALLOWED
    else:
        assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        assert allowed(response.headers['Allow']) == PATHS[path]
        if method != 'HEAD':
            error_in(response, HTTPStatus.METHOD_NOT_ALLOWED)


@pytest.mark.parametrize(
    'path',
    # Looking at a link with HEAD changes nothing, so it cannot know what GET would answer.
    [path for path, methods in PATHS.items() if 'GET' in methods and '/verify/' not in path]
)
def test_head_is_get_without_the_body(api: ServedApi, author: Member, path: str) -> None:
    full, bare = (api.request(method, path, headers=author.bearer) for method in ('GET', 'HEAD'))

    assert (bare.status_code, bare.content) == (full.status_code, b'')
    of_each = {'X-Request-ID', 'Date'}
    assert {
        name: value
        for name, value in bare.headers.items() if name not in of_each
    } == {
        name: value
        for name, value in full.headers.items() if name not in of_each
    }


@pytest.mark.parametrize('path', PATHS)
@pytest.mark.parametrize('method', METHODS)
def test_whatever_is_answered_is_safe_in_a_browser_and_says_who_may_keep_it(
    api: ServedApi, path: str, method: str
) -> None:
    headers = api.request(method, path, headers={'Origin': ORIGIN}).headers

    assert headers['X-Content-Type-Options'] == 'nosniff'
    assert "frame-ancestors 'none'" in headers['Content-Security-Policy']
    assert 'Referrer-Policy' in headers and 'Cross-Origin-Resource-Policy' in headers
    assert headers['Cache-Control']
    assert 'Origin' in headers['Vary'].split(', ')
    assert headers['Access-Control-Allow-Origin'] == ORIGIN


def test_a_page_may_send_and_see_the_headers_that_it_needs(api: ServedApi) -> None:
    wanted = ['Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match', 'If-None-Match']

    response = api.request(
        'OPTIONS',
        '/v1/projects',
        headers={
            'Origin': ORIGIN,
            'Access-Control-Request-Method': 'POST',
            'Access-Control-Request-Headers': ', '.join(wanted).lower(),
        }
    )

    may_send = {name.lower() for name in response.headers['Access-Control-Allow-Headers'].split(', ')}
    assert may_send == {name.lower() for name in wanted}
    may_see = set(response.headers['Access-Control-Expose-Headers'].split(', '))
    assert {'ETag', 'Link', 'X-Total-Count', 'Retry-After', 'X-Request-ID', 'WWW-Authenticate'} < may_see
