"""Serves the OpenAPI document, and the interactive page that renders it.

The page's Content-Security-Policy forbids external resources and inline scripts.
"""
import json
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from flask import Blueprint, Flask, Response, abort
from pydantic import Field
from werkzeug.exceptions import NotFound

from talelio_backend.shared.presentation.openapi.document import openapi_document
from talelio_backend.shared.presentation.operation import Media, described

OPENAPI_PATH = '/v1/openapi.json'

_FOLDER = Path(__file__).with_name('docs_page')
_PAGE = 'docs.html'
_PARTS = {'docs.css': 'text/css', 'docs.js': 'text/javascript'}
# The page shows images in responses as blobs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PartName = Annotated[str, Field(examples=['docs.js'])]
_Document = Annotated[
    dict[str, Any],
    Field(examples=[
        {'openapi': '3.1.0', 'info': {'title': 'talelio_backend', 'version': '1.0.0'}, 'paths': {}}
    ])
]  # yapf: disable


def openapi_routes(app: Flask) -> Blueprint:
    """Serve the document of `app`, built on the first request."""
    routes = Blueprint('description', __name__)

    @cache
    def document() -> str:
        # Not sorted: the order of a body's keys is significant.
        return json.dumps(openapi_document(app), ensure_ascii=False)

    @routes.get(OPENAPI_PATH)
    @described('Describe this API', responses={HTTPStatus.OK: _Document})
    def show_document() -> Response:
        return Response(document(), mimetype='application/json')

    return routes


def docs_routes() -> Blueprint:
    routes = Blueprint('docs', __name__, url_prefix='/v1/docs')
    contents = {name: (_FOLDER / name).read_bytes() for name in (_PAGE, *_PARTS)}

    @routes.get('')
    @described(
        'Read about this API, and try it',
        responses={HTTPStatus.OK: Media(types=['text/html'], example='<!doctype html>…')},
    )
    def show_page() -> Response:
        return _response(contents[_PAGE], 'text/html')

    @routes.get('/<name>')
    @described(
        'Fetch a part of the page',
        responses={HTTPStatus.OK: Media(types=list(_PARTS.values()), example='…')},
        errors=[NotFound()],
    )
    def show_part(name: PartName) -> Response:
        if name not in _PARTS:
            abort(404)
        return _response(contents[name], _PARTS[name])

    return routes


def _response(content: bytes, media_type: str) -> Response:
    response = Response(content, mimetype=media_type)
    response.headers['Content-Security-Policy'] = _POLICY
    return response
