"""Writes answers as JSON."""
from http import HTTPStatus
from typing import Any

from flask import Response, json
from pydantic import BaseModel

from talelio_backend.shared.presentation.conditions import modified_at


def json_response(content: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(json.dumps(content), status, mimetype='application/json')


def answer(model: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> Response:
    response = Response(model.model_dump_json(), status, mimetype='application/json')
    response.last_modified = modified_at(model)
    return response
