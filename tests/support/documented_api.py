"""Holds answers of the served API against the OpenAPI document."""
import json
import re
from copy import deepcopy
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from jsonschema import Draft202012Validator

from talelio_backend.bootstrap import build
from talelio_backend.settings import Settings
from talelio_backend.shared.presentation.openapi.document import openapi_document

REFUSAL = {
    'content': {
        'application/json': {'schema': {'$ref': '#/components/schemas/ErrorAnswer'}},
        'application/problem+json': {'schema': {'$ref': '#/components/schemas/ProblemAnswer'}},
    }
}  # yapf: disable
_NO_DATABASE = 'postgresql+psycopg2://nobody@127.0.0.1:1/none'
# What the server answers to any path.
_ANYWHERE = (400, 404, 414, 431, 500, 503)


class Undocumented(AssertionError):
    """An answer is not what the document says."""


@cache
def document() -> dict[str, Any]:
    """Of the code that the served API runs, with every route that a setting can bring."""
    with TemporaryDirectory() as folder:
        backend = build(Settings.from_env({'ENV': 'testing', 'IMAGE_FOLDER': folder}), _NO_DATABASE)
        try:
            return openapi_document(backend.app)
        finally:
            backend.close()


def check_answer(response: requests.Response, *, with_body: bool = True) -> None:
    """Raises Undocumented. A body that is still to be streamed is not looked at."""
    request = response.request
    method = request.method or ''
    path = unquote(urlsplit(request.url or '').path)
    where = f'{method} {path} -> {response.status_code}'
    if not response.headers.get('X-Request-ID'):
        raise Undocumented(f'{where}: no X-Request-ID')
    if method == 'OPTIONS':
        return
    items = _path_items(path)
    name = 'get' if method == 'HEAD' else method.lower()
    operation = next((item[name] for item in items if name in item), None)
    if operation is None:
        _check_refusal(response, (405, 400) if items else _ANYWHERE, where)
        described: dict[str, Any] | None = REFUSAL
    else:
        described = operation['responses'].get(str(response.status_code))
    if described is None:
        raise Undocumented(f'{where}: the status is not documented')
    _check_headers(response, described, where)
    if with_body and method != 'HEAD':
        _check_content(response, described.get('content'), where)


def _path_items(path: str) -> list[dict[str, Any]]:
    """One without parameters comes before one with them, as in the router."""
    items = sorted(document()['paths'].items(), key=lambda item: item[0].count('{'))
    return [item for template, item in items if _pattern(template).fullmatch(path)]


@cache
def _pattern(template: str) -> re.Pattern[str]:
    operations = document()['paths'][template].values()
    schemas = {
        parameter['name']: parameter['schema']
        for operation in operations
        for parameter in operation.get('parameters', ())
    }
    parts = re.split(r'\{(\w+)\}', template)
    return re.compile(
        ''.join(
            _parameter_pattern(schemas[part]) if number % 2 else re.escape(part)
            for number, part in enumerate(parts)
        )
    )


def _parameter_pattern(schema: dict[str, Any]) -> str:
    if schema.get('type') == 'integer':
        return '[1-9][0-9]{0,9}'
    return '.+' if schema.get('pattern') == '.+' else '[^/]+'


def _check_refusal(response: requests.Response, statuses: tuple[int, ...], where: str) -> None:
    if response.status_code not in statuses:
        raise Undocumented(f'{where}: the document has no such call, and this is no refusal')
    if response.status_code == 405 and not response.headers.get('Allow'):
        raise Undocumented(f'{where}: no Allow')


def _check_headers(response: requests.Response, described: dict[str, Any], where: str) -> None:
    # Of other statuses, such as 409, only some errors say when to come back.
    if response.status_code in (429, 503) and not response.headers.get('Retry-After'):
        raise Undocumented(f'{where}: no Retry-After')
    if response.headers.get('Retry-After'
                            ) and 'Retry-After' not in described.get('headers', ('Retry-After', )):
        raise Undocumented(f'{where}: Retry-After is not documented')


def _check_content(response: requests.Response, contents: dict[str, Any] | None, where: str) -> None:
    if not contents:
        if response.content:
            raise Undocumented(f'{where}: a body where none is documented')
        return
    media_type = response.headers.get('Content-Type', '').partition(';')[0]
    content = contents.get(media_type)
    if content is None:
        raise Undocumented(f'{where}: {media_type!r} is not documented')
    if 'json' not in media_type:
        return
    fault = next(_validator(json.dumps(content['schema'])).iter_errors(response.json()), None)
    if fault is not None:
        raise Undocumented(f'{where}: {fault.json_path} {fault.message}')


@cache
def _validator(schema: str) -> Draft202012Validator:
    """`schema` is JSON. What an object has beyond it is a fault here, though clients should let it pass."""
    components = deepcopy(document()['components']['schemas'])
    for component in components.values():
        if 'properties' in component:
            component['additionalProperties'] = False
    return Draft202012Validator({**json.loads(schema), 'components': {'schemas': components}})
