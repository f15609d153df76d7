"""Writes answers as JSON."""
from collections.abc import Sequence
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


def answer_list(models: Sequence[BaseModel]) -> Response:
    return Response(f'[{",".join(model.model_dump_json() for model in models)}]', mimetype='application/json')
