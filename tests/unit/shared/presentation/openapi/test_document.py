from http import HTTPStatus
from typing import Annotated, Any

import pytest
from flask import Flask, Response
from pydantic import BaseModel, Field

from talelio_backend.app_account.data.jwt import JwtAccessTokens
from talelio_backend.shared.business.errors import NotFound
from talelio_backend.shared.presentation.openapi.document import NotDescribed, openapi_document
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.bearer_token import authenticate
from talelio_backend.shared.presentation.requests.json_body import read_body
from talelio_backend.shared.presentation.schemas import Answer, Body, Id, Text, UtcTime
from talelio_backend.shared.presentation.url_converters import IdConverter
from tests.support.served_api import SECRET_KEY

Colour = Annotated[Text, Field(examples=['red'])]


class PaintBody(Body):
    colour: Colour
    coats: Annotated[int, Field(examples=[2])]


class OtherBody(Body):
    colour: Colour


class ChairAnswer(Answer):
    id: Id
    made_at: UtcTime
    colour: Colour | None


class ChairQuery(BaseModel):
    sort: Annotated[str | None, Field(description='By what.', examples=['made_at'])] = None


@pytest.fixture(name='app')
def _app() -> Flask:
    app = Flask(__name__, static_folder=None)
    app.url_map.converters['id'] = IdConverter
    return app


def add_chair(app: Flask) -> None:

    @app.post('/rooms/<room>/chairs/<id:chair_id>')
    @described(
        'Paint a chair',
        description='It dries for a day.',
        bearer='required',
        body=PaintBody,
        query=ChairQuery,
        responses={HTTPStatus.OK: list[ChairAnswer]},
        errors=[NotFound('There is no chair 7')],
        response_headers=['Link'],
    )
    def paint(room: Colour, chair_id: int) -> Response:
        raise AssertionError((room, chair_id))


@pytest.fixture(name='operation')
def _operation(app: Flask) -> dict[str, Any]:
    add_chair(app)
    operation: dict[str, Any] = openapi_document(app)['paths']['/rooms/{room}/chairs/{chair_id}']['post']
    return operation


def test_the_description_of_a_view_is_in_the_document(operation: dict[str, Any]) -> None:
    assert operation['summary'] == 'Paint a chair'
    assert operation['description'] == 'It dries for a day.'
    assert operation['security'] == [{'bearerAuth': []}]
    assert list(operation['responses']) == ['200', '400', '403', '404', '413', '414', '415', '500', '503']


def test_parameters_come_from_the_converters_the_annotations_and_the_query(operation: dict[str, Any]) -> None:
    room, chair, sort = operation['parameters']

    assert (room['in'], room['required'], room['example']) == ('path', True, 'red')
    assert (chair['name'], chair['schema']['type'], chair['schema']['maximum']) == \
        ('chair_id', 'integer', 2**31 - 1)
    assert (sort['in'], sort['required'], sort['description']) == ('query', False, 'By what.')


def test_examples_are_built_from_those_of_the_fields(operation: dict[str, Any]) -> None:
    body = operation['requestBody']['content']['application/json']
    response = operation['responses']['200']['content']['application/json']

    assert body['example'] == {'colour': 'red', 'coats': 2}
    assert response['example'] == [{'id': 7, 'made_at': '2026-11-23 12:30:59.123456', 'colour': 'red'}]


def test_errors_are_documented_with_their_messages(operation: dict[str, Any]) -> None:

    def messages(status: int) -> list[str]:
        content = operation['responses'][str(status)]['content']['application/json']
        return [example['value']['error']['message'] for example in content['examples'].values()]

    assert messages(404) == ['There is no chair 7']
    assert messages(403)[0] == 'No authorization header provided'
    assert messages(400)[1:] == ['Missing request body', "Expected 'colour' key", "Expected 'coats' key"]


def test_headers_are_documented_per_response(operation: dict[str, Any]) -> None:
    headers = {status: set(response['headers']) for status, response in operation['responses'].items()}

    assert headers['200'] == {'X-Request-ID', 'Link'}
    assert headers['404'] == {'X-Request-ID'}
    assert headers['503'] == {'X-Request-ID', 'Retry-After'}


def test_an_undescribed_view_is_reported(app: Flask) -> None:
    app.add_url_rule('/bare', endpoint='bare', view_func=lambda: '')

    with pytest.raises(NotDescribed, match='bare'):
        openapi_document(app)


def test_a_field_without_an_example_is_reported(app: Flask) -> None:

    class BareBody(Body):
        colour: Colour
        legs: int

    @app.post('/bare')
    @described('Make', body=BareBody, responses={204: None})
    def make() -> Response:
        raise AssertionError

    with pytest.raises(NotDescribed, match='make: BareBody.legs has no example'):
        openapi_document(app)


def test_a_view_must_describe_the_body_that_it_reads(app: Flask) -> None:

    @app.post('/paint')
    @described('Paint', body=PaintBody, responses={204: None})
    def paint() -> Response:
        read_body(OtherBody)
        return Response(status=204)

    app.testing = True
    with pytest.raises(RuntimeError, match='OtherBody'):
        app.test_client().post('/paint', json={'colour': 'red'})


def test_a_view_must_describe_that_it_requires_a_token(app: Flask) -> None:

    @app.get('/secret')
    @described('Tell', responses={204: None})
    def tell() -> Response:
        authenticate(JwtAccessTokens(SECRET_KEY))
        return Response(status=204)

    app.testing = True
    with pytest.raises(RuntimeError, match='tell reads a bearer that it does not describe'):
        app.test_client().get('/secret')
