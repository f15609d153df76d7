from collections.abc import Callable

from flask import Blueprint, Response

from talelio_backend.shared.presentation.answers import json_response


def health_routes(check_database: Callable[[], None]) -> Blueprint:
    """`check_database` raises Unavailable when the service cannot do its work."""
    routes = Blueprint('health', __name__, url_prefix='/health')

    @routes.get('/live')
    def live() -> Response:
        """The process answers. It says nothing about the database: a restart would not mend that."""
        return json_response({'status': 'live'})

    @routes.get('/ready')
    def ready() -> Response:
        check_database()
        return json_response({'status': 'ready'})

    return routes
