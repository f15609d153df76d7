"""The errors that a proxy shows in place of its own (`traefik/routes.toml`)."""
from http import HTTPStatus
from typing import Annotated

from flask import Blueprint, Response, abort
from pydantic import Field
from werkzeug.exceptions import NotFound, TooManyRequests, default_exceptions

from talelio_backend.shared.presentation.errors.handlers import problem_of
from talelio_backend.shared.presentation.errors.problem_details import (
    ENVELOPE_TYPE,
    PROBLEM_TYPE,
    problem_response,
)
from talelio_backend.shared.presentation.operation import Media, described

# Seconds; None where the same request would fail again.
_RETRY_AFTER = {'413': None, '429': 2, '500': 2, '502': 2, '504': 2}

ErrorStatus = Annotated[str, Field(examples=['429'])]


def error_page_routes() -> Blueprint:
    routes = Blueprint('error_pages', __name__)

    @routes.get('/errors/<status>')
    @described(
        'Show the body of an error',
        description='For a proxy, which gives it the status.',
        responses={
            HTTPStatus.OK:
            Media(types=[ENVELOPE_TYPE, PROBLEM_TYPE], example=problem_of(TooManyRequests()).envelope)
        },
        errors=[NotFound()],
        response_headers=['Retry-After'],
    )
    def show(status: ErrorStatus) -> Response:
        if status not in _RETRY_AFTER:
            abort(404)
        response = problem_response(problem_of(default_exceptions[int(status)]()))
        response.status_code = HTTPStatus.OK
        if (seconds := _RETRY_AFTER[status]) is not None:
            response.headers['Retry-After'] = str(seconds)
        return response

    return routes
