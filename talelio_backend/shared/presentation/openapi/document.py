"""Builds the OpenAPI 3.1 document of an app from its routes and the descriptions of their views."""
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

from flask import Flask
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from werkzeug.routing import Rule

from talelio_backend import __version__
from talelio_backend.shared.presentation.openapi.examples import NoExample, example_of
from talelio_backend.shared.presentation.openapi.headers import REQUEST_HEADERS, RESPONSE_HEADERS
from talelio_backend.shared.presentation.openapi.responses import describe_responses
from talelio_backend.shared.presentation.operation import Files, Media, Operation, operation_of
from talelio_backend.shared.presentation.schemas import ErrorAnswer, ProblemAnswer
from talelio_backend.shared.presentation.url_converters import IdConverter

_INFO = {
    'title':
    'talelio_backend',
    'version':
    __version__,
    'summary':
    "The backend of a maker's own site: Markdown projects, pictures, accounts.",
    'description':
    'Bodies are JSON both ways. Times are UTC. Every error, whatever its cause, is one '
    'envelope: `{"error": {"message", "status", "type", "code"}}`, or Problem Details (RFC 9457) with '
    '`Accept: application/problem+json`.',
    'license': {
        'name': 'MIT',
        'identifier': 'MIT'
    },
}
_BEARER = {
    'type': 'http',
    'scheme': 'bearer',
    'bearerFormat': 'JWT',
    'description': 'The `access_token` that the login returns.'
}
_SECURITY_SCHEMES = {'bearerAuth': _BEARER}
_WITH_TOKEN: dict[str, list[str]] = {'bearerAuth': []}
_SECURITY = {None: [], 'optional': [{}, _WITH_TOKEN], 'required': [_WITH_TOKEN]}
_SCHEMAS = '#/components/schemas/{model}'
_PATH_PARAMETER = re.compile(r'<(?:(?P<converter>\w+)(?:\(.*?\))?:)?(?P<name>\w+)>')
_CONDITIONS = ('If-None-Match', 'If-Modified-Since')
_SCHEMAS_OF_CONVERTERS: dict[str, dict[str, Any]] = {'id': IdConverter.schema, 'path': {'pattern': '.+'}}
_METHODS = ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')


class NotDescribed(Exception):
    """A route lacks something that the document needs."""


@dataclass(frozen=True, kw_only=True)
class _Route:
    rule: Rule
    method: str
    operation: Operation
    # Whether the response has validators and honours conditional requests.
    has_validators: bool
    # Of the path parameters, by name.
    path_schemas: dict[str, dict[str, Any]]

    @property
    def id(self) -> str:
        return str(self.rule.endpoint).replace('.', '_')

    @property
    def tag(self) -> str:
        return str(self.rule.endpoint).partition('.')[0]

    @property
    def path(self) -> str:
        return _PATH_PARAMETER.sub(r'{\g<name>}', self.rule.rule)


class _Schemas(GenerateJsonSchema):
    """Omits redundant titles and defaults of null."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if described.get('default', ...) is None:
            del described['default']
        return described


def openapi_document(app: Flask) -> dict[str, Any]:
    """Raises NotDescribed, which names the route and what is missing."""
    routes = list(_routes(app))
    schemas, components = _write_schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        try:
            paths.setdefault(route.path, {})[route.method.lower()] = _describe(route, schemas, components)
        except NoExample as error:
            raise NotDescribed(f'{route.id}: {error} has no example') from error
    tags = dict.fromkeys(route.tag for route in routes)
    return {
        'openapi': '3.1.0',
        'info': _INFO,
        'tags': [{
            'name': tag
        } for tag in tags],
        'paths': paths,
        'components': {
            'schemas': dict(sorted(components.items())),
            'headers': RESPONSE_HEADERS,
            'securitySchemes': _SECURITY_SCHEMES,
        },
    }


def _routes(app: Flask) -> Iterator[_Route]:
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        operation = operation_of(view)
        if operation is None:
            raise NotDescribed(f'{rule.endpoint}: its view is not @described')
        hints = get_type_hints(view, include_extras=True)
        path_schemas = {
            match['name']: {
                **TypeAdapter(hints[match['name']]).json_schema(),
                **_SCHEMAS_OF_CONVERTERS.get(match['converter'], {}),
            }
            for match in _PATH_PARAMETER.finditer(rule.rule)
        }
        for method in _METHODS:
            if method in (rule.methods or ()):
                yield _Route(
                    rule=rule,
                    method=method,
                    operation=operation,
                    has_validators=method == 'GET' and not operation.no_store,
                    path_schemas=path_schemas,
                )


def _write_schemas(routes: list[_Route]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    """Return the schemas by purpose, and the components that they refer to."""
    wanted: list[tuple[Any, Any, TypeAdapter[Any]]] = [
        ('error', 'serialization', TypeAdapter(ErrorAnswer)),
        ('problem', 'serialization', TypeAdapter(ProblemAnswer)),
    ]
    for route in routes:
        operation = route.operation
        if operation.body is not None and not isinstance(operation.body, Files):
            wanted.append(((route.id, 'body'), 'validation', TypeAdapter(operation.body)))
        for status, kind in operation.responses.items():
            if kind is not None and not isinstance(kind, Media):
                wanted.append(((route.id, status), 'serialization', TypeAdapter(kind)))
    schemas, definitions = TypeAdapter.json_schemas(wanted, ref_template=_SCHEMAS, schema_generator=_Schemas)
    return {key: schema for (key, _), schema in schemas.items()}, definitions.get('$defs', {})


def _describe(route: _Route, schemas: dict[Any, dict[str, Any]], components: dict[str,
                                                                                  Any]) -> dict[str, Any]:
    operation = route.operation
    described: dict[str, Any] = {'operationId': route.id, 'tags': [route.tag], 'summary': operation.summary}
    if operation.description:
        described['description'] = operation.description
    described['security'] = _SECURITY[operation.bearer]
    parameters = list(_parameters(route))
    if parameters:
        described['parameters'] = parameters
    if isinstance(operation.body, Files):
        described['requestBody'] = _files_body(operation.body)
    elif operation.body is not None:
        schema = schemas[route.id, 'body']
        content = {'schema': schema, 'example': example_of(schema, components)}
        described['requestBody'] = {
            'required': operation.body_required,
            'content': {
                'application/json': content
            },
        }
    responses = {
        status: schemas[route.id, status]
        for status in operation.responses if (route.id, status) in schemas
    }
    described['responses'] = describe_responses(
        operation, responses, schemas, components, validators=route.has_validators
    )
    return described


def _parameters(route: _Route) -> Iterator[dict[str, Any]]:
    for name, schema in route.path_schemas.items():
        yield _parameter(name, 'path', schema, required=True)
    if route.operation.query is not None:
        query = route.operation.query.model_json_schema(schema_generator=_Schemas)
        for name, schema in query.get('properties', {}).items():
            yield _parameter(name, 'query', schema, required=name in query.get('required', ()))
    for name in [*route.operation.request_headers, *(_CONDITIONS if route.has_validators else ())]:
        yield {'name': name, 'in': 'header', **REQUEST_HEADERS[name]}


def _parameter(name: str, place: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    schema = dict(schema)
    described = {'name': name, 'in': place, 'required': required}
    if 'description' in schema:
        described['description'] = schema.pop('description')
    return described | {'schema': schema, 'example': example_of(schema, {}, name)}


def _files_body(files: Files) -> dict[str, Any]:
    picture = {'type': 'string', 'format': 'binary'}
    # Any name is allowed, but tools need a named property to offer a file upload.
    properties = {'photo': picture}
    schema = {'type': 'object', 'minProperties': 1, 'properties': properties, 'additionalProperties': picture}
    if files.most is not None:
        schema['maxProperties'] = files.most
    content = {'schema': schema, 'example': {'photo': '(the bytes of a picture)'}}
    return {'required': True, 'content': {'multipart/form-data': content}}
