"""The interactive documentation page, which renders the OpenAPI document.

Its Content-Security-Policy forbids external resources and inline scripts.
"""
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from flask import Blueprint, Response, abort
from pydantic import Field
from werkzeug.exceptions import NotFound

from talelio_backend.shared.presentation.operation import Media, described

_FOLDER = Path(__file__).with_name('docs_page')
_PAGE = 'docs.html'
_PARTS = {'docs.css': 'text/css', 'docs.js': 'text/javascript'}
# The page shows images in responses as blobs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PartName = Annotated[str, Field(examples=['docs.js'])]


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
