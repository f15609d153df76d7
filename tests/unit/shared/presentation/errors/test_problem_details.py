from typing import Any

import pytest
from flask import Flask

from talelio_backend.shared.business.errors import Fault, Invalid, InvalidValue, Unauthenticated
from talelio_backend.shared.business.identity import InvalidAccessToken, MissingAccessToken
from talelio_backend.shared.presentation.errors.handlers import add_error_handlers
from talelio_backend.shared.presentation.requests.access_log import add_request_log
from talelio_backend.shared.presentation.requests.validation_errors import InvalidBody, InvalidQuery

PROBLEM = 'application/problem+json'


def answer_to(error: Exception, accept: str | None = None) -> Any:
    app = Flask(__name__)
    add_request_log(app)
    add_error_handlers(app)

    @app.get('/')
    def raise_() -> str:
        raise error

    headers = {'X-Request-ID': 'the-request'} | ({} if accept is None else {'Accept': accept})
    return app.test_client().get('/', headers=headers)


@pytest.mark.parametrize(
    ('accept', 'media_type'),
    [
        (None, 'application/json'),
        ('', 'application/json'),
        ('*/*', 'application/json'),
        ('application/*', 'application/json'),
        # What axios sends, and what a browser does.
        ('application/json, text/plain, */*', 'application/json'),
        ('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'application/json'),
        (PROBLEM, PROBLEM),
        ('APPLICATION/PROBLEM+JSON', PROBLEM),
        (f'{PROBLEM}, */*', PROBLEM),
        (f'{PROBLEM}, application/json;q=0.9', PROBLEM),
        (f'application/json;q=0.1, {PROBLEM};q=0.2', PROBLEM),
        # Both alike: the one that has always been there.
        (f'{PROBLEM}, application/json', 'application/json'),
        (f'{PROBLEM};q=0.5, application/json', 'application/json'),
        (f'{PROBLEM};q=0, */*', 'application/json'),
        # Neither is wished for, and nothing else can be had.
        ('text/html', 'application/json'),
        ('application/json;q=0', 'application/json'),
        ('nonsense', 'application/json'),
        (';;q=x,', 'application/json'),
    ],
)
def test_the_format_of_an_error_is_negotiated(accept: str | None, media_type: str) -> None:
    response = answer_to(Invalid('What went wrong'), accept)

    assert response.headers['Content-Type'] == media_type
    assert response.headers['Vary'] == 'Accept'


def test_a_problem_has_the_content_of_the_envelope() -> None:
    response = answer_to(InvalidValue('title', 'must not be blank'), PROBLEM)

    assert response.json == {
        'type': 'about:blank',
        'title': 'Bad Request',
        'status': 400,
        'detail': "'title' must not be blank",
        'instance': 'the-request',
        'code': 'invalid_value',
        'details': [{
            'in': 'body',
            'pointer': '/title',
            'reason': 'must not be blank'
        }]
    }


def test_an_error_without_faults_has_no_details() -> None:
    assert 'details' not in answer_to(Invalid('What went wrong')).json['error']


@pytest.mark.parametrize(
    ('path', 'pointer'),
    [(('title', ), '/title'), (('tags', 3), '/tags/3'), (('a/b~c', ), '/a~1b~0c'), (('', ), '/'), ((), '')],
)
def test_a_pointer_locates_the_fault(path: tuple[str | int, ...], pointer: str) -> None:
    response = answer_to(InvalidBody('What went wrong', [Fault(path, 'is wrong')]))

    assert response.json['error']['details'] == [{'in': 'body', 'pointer': pointer, 'reason': 'is wrong'}]


def test_faults_of_query_and_body_are_distinguished() -> None:
    error = answer_to(InvalidQuery.about('limit', 'is too large')).json['error']

    assert error['message'] == "'limit' is too large"
    assert error['details'] == [{'in': 'query', 'pointer': '/limit', 'reason': 'is too large'}]


@pytest.mark.parametrize(
    ('error', 'challenge'),
    [
        (Unauthenticated('Who?'), 'Bearer realm="talelio_backend"'),
        (MissingAccessToken('Who?'), 'Bearer realm="talelio_backend"'),
        (
            InvalidAccessToken('Signature has expired'),
            'Bearer realm="talelio_backend", error="invalid_token", error_description="Signature has expired"'
        ),
        (
            InvalidAccessToken('"quoted" \\ ü\r\nX: y'),
            'Bearer realm="talelio_backend", error="invalid_token", error_description="?quoted? ? ???X: y"'
        ),
        (Invalid('No token'), None),
    ],
)
def test_an_error_about_tokens_has_a_challenge(error: Exception, challenge: str | None) -> None:
    assert answer_to(error).headers.get('WWW-Authenticate') == challenge
