from collections.abc import Callable
from http import HTTPStatus
from typing import Literal

from flask import Blueprint, Response

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.schemas import Answer


class HealthAnswer(Answer):
    status: Literal['live', 'ready']


class Readiness:
    """Whether this process can serve requests. Each check may raise Unavailable."""

    def __init__(self, *checks: Callable[[], None]) -> None:
        self._checks = list(checks)

    def require(self, check: Callable[[], None]) -> None:
        self._checks.append(check)

    def check(self) -> None:
        for check in self._checks:
            check()


def health_routes(readiness: Readiness) -> Blueprint:
    routes = Blueprint('health', __name__, url_prefix='/health')

    @routes.get('/live')
    @described('Ask whether the process answers', responses={HTTPStatus.OK: HealthAnswer}, no_store=True)
    def live() -> Response:
        """Liveness ignores the database: a restart would not help."""
        return model_response(HealthAnswer(status='live'))

    @routes.get('/ready')
    @described(
        'Ask whether requests can be served',
        responses={HTTPStatus.OK: HealthAnswer},
        errors=[Unavailable('The service is about to stop')],
        no_store=True,
    )
    def ready() -> Response:
        readiness.check()
        return model_response(HealthAnswer(status='ready'))

    return routes
