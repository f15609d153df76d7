from http import HTTPStatus

from flask import Flask
from flask.testing import FlaskClient

from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.presentation.errors.handlers import add_error_handlers
from talelio_backend.shared.presentation.health import Readiness, health_routes


def passes() -> None:
    """A check that finds nothing."""


def fails() -> None:
    raise Unavailable('something is away')


def client(readiness: Readiness) -> FlaskClient:
    app = Flask('test')
    add_error_handlers(app)
    app.register_blueprint(health_routes(readiness))
    return app.test_client()


def test_the_service_is_ready_when_all_checks_pass() -> None:
    assert client(Readiness(passes, passes)).get('/health/ready').status_code == HTTPStatus.OK


def test_a_failing_check_affects_readiness_but_not_liveness() -> None:
    readiness = Readiness(passes)
    readiness.require(fails)
    api = client(readiness)

    response = api.get('/health/ready')

    assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert response.get_json()['error']['message'] == 'something is away'
    assert api.get('/health/live').status_code == HTTPStatus.OK
