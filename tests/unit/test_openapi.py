"""What the service says of itself: every route is described, and the document is valid."""
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from talelio_backend.bootstrap import build
from talelio_backend.settings import Settings
from talelio_backend.shared.presentation.openapi.document import openapi_document
from talelio_backend.shared.presentation.operation import operation_of
from tests.support.served_api import SECRET_KEY

NO_DATABASE = 'postgresql+psycopg2://nobody@127.0.0.1:1/none'


@pytest.fixture(name='app', scope='module')
def _app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp('images')
    settings = Settings.from_env({'SECRET_KEY': SECRET_KEY, 'IMAGE_FOLDER': str(folder)})
    backend = build(settings, NO_DATABASE)
    yield backend.app
    backend.close()


@pytest.fixture(name='document', scope='module')
def _document(app: Flask) -> dict[str, Any]:
    return openapi_document(app)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document['paths'].items():
        for method, operation in methods.items():
            yield f'{method.upper()} {path}', operation


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for status, response in operation['responses'].items():
        for media_type, content in response.get('content', {}).items():
            yield status, media_type, content


def test_every_route_says_what_it_takes_and_answers(app: Flask) -> None:
    views = {rule.endpoint: app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules()}

    undescribed = [endpoint for endpoint, view in views.items() if operation_of(view) is None]

    assert undescribed == [], 'write @described(…) below the route, see CONTRIBUTING.md'


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document['openapi'].startswith('3.1.')
    assert not list(OpenAPIV31SpecValidator(document).iter_errors())


def test_every_operation_has_a_summary_and_an_id_of_its_own(document: dict[str, Any]) -> None:
    described = dict(operations(document))

    assert [name for name, operation in described.items() if not operation['summary'].strip()] == []
    assert len({operation['operationId'] for operation in described.values()}) == len(described)


def test_every_operation_has_its_errors_with_examples(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        responses = operation['responses']
        assert {'400', '500', '503'} <= set(responses), name
        if 'bearerAuth' in str(operation['security']):
            assert '403' in responses, name
        if 'requestBody' in operation:
            assert '413' in responses, name
        for status, media_type, content in contents(operation):
            if status >= '400' and media_type == 'application/json':
                assert content['schema'] == {'$ref': '#/components/schemas/ErrorAnswer'}, name
                for example in content['examples'].values():
                    assert example['value']['error']['status'] == int(status), name


def test_everything_that_is_sent_and_answered_has_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for parameter in operation.get('parameters', ()):
            assert 'example' in parameter, (name, parameter['name'])
        for content in operation.get('requestBody', {}).get('content', {}).values():
            assert 'example' in content, name
        for status, media_type, content in contents(operation):
            if not media_type.startswith('image/'):
                assert 'example' in content or 'examples' in content, (name, status)


def test_a_protected_call_wants_the_bearer_token(document: dict[str, Any]) -> None:
    assert document['paths']['/v1/projects']['post']['security'] == [{'bearerAuth': []}]
    assert document['paths']['/v1/projects/{project_id}']['get']['security'] == [{}, {'bearerAuth': []}]
    assert document['paths']['/v1/users/{username}']['get']['security'] == []


def test_the_document_is_served(app: Flask, document: dict[str, Any]) -> None:
    response = app.test_client().get('/v1/openapi.json')

    assert (response.status_code, response.mimetype) == (200, 'application/json')
    assert response.get_json() == document


def test_the_proxy_may_replace_these_errors_by_its_own(document: dict[str, Any]) -> None:
    """As traefik/routes.toml does: no response of the API is lost that says more."""
    files = {'POST /v1/assets/images', 'PUT /v1/users/me/avatar'}
    for name, operation in operations(document):
        responses = operation['responses']
        assert not {'502', '504'} & responses.keys(), name
        assert '429' not in responses or ' /v1/accounts/' in name, name
        if '413' in responses and name not in files:
            examples = responses['413']['content']['application/json']['examples'].values()
            assert {each['value']['error']['message']
                    for each in examples} == {'The request body is too large'}, name
