import json
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any

from flask import Blueprint, Flask, Response
from pydantic import Field

from talelio_backend.shared.presentation.openapi.document import openapi_document
from talelio_backend.shared.presentation.operation import described

OPENAPI_PATH = '/v1/openapi.json'

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
