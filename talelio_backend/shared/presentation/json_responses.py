from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response
from pydantic import BaseModel

from talelio_backend.shared.presentation.caching.conditional_requests import Representation

_JSON = 'application/json'


def to_json(content: Any) -> bytes:
    """Serialise as pydantic does."""
    return orjson.dumps(content)


def model_response(shown: BaseModel | Representation, status: HTTPStatus = HTTPStatus.OK) -> Response:
    representation = shown if isinstance(shown, Representation) else Representation.of(shown)
    response = Response(representation.content, status, mimetype=_JSON)
    response.last_modified = representation.modified_at
    return response


def model_list_response(models: Sequence[BaseModel]) -> Response:
    return Response(f'[{",".join(model.model_dump_json() for model in models)}]', mimetype=_JSON)
