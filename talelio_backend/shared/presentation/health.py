from collections.abc import Callable

from flask import Blueprint, Response

from talelio_backend.shared.presentation.answers import json_response


class Readiness:
    """Whether requests should be sent here: every check may raise Unavailable."""

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
    def live() -> Response:
        """The process answers. It says nothing about the database: a restart would not mend that."""
        return json_response({'status': 'live'})

    @routes.get('/ready')
    def ready() -> Response:
        readiness.check()
        return json_response({'status': 'ready'})

    return routes
