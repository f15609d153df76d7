import pytest
from flask import Flask
from flask.testing import FlaskClient

from talelio_backend.shared.business import errors
from talelio_backend.shared.presentation.errors.handlers import STATUS_OF_KIND, add_error_handlers


@pytest.fixture(name='client')
def fixture_client() -> FlaskClient:
    app = Flask(__name__)
    add_error_handlers(app)
    kinds = {kind.__name__: kind for kind in STATUS_OF_KIND}

    @app.get('/raise/<kind>')
    def raise_(kind: str) -> str:
        raise kinds[kind]('What went wrong')

    @app.get('/crash')
    def crash() -> str:
        raise RuntimeError('planted detail')

    return app.test_client()


def test_every_kind_of_business_error_has_a_status() -> None:
    kinds = errors.BusinessError.__subclasses__()

    # Tests have another.
    assert set(STATUS_OF_KIND) == {kind for kind in kinds if kind.__module__.startswith('talelio_backend.')}


@pytest.mark.parametrize(
    ('kind', 'status', 'phrase', 'code'),
    [
        ('Invalid', 400, 'Bad Request', 'invalid'),
        ('Unauthenticated', 401, 'Unauthorized', 'unauthenticated'),
        ('Forbidden', 403, 'Forbidden', 'forbidden'),
        ('NotFound', 404, 'Not Found', 'not_found'),
        ('Conflict', 409, 'Conflict', 'conflict'),
        ('PreconditionFailed', 412, 'Precondition Failed', 'precondition_failed'),
        ('Unprocessable', 422, 'Unprocessable Entity', 'unprocessable'),
        ('Unavailable', 503, 'Service Unavailable', 'unavailable'),
    ],
)
def test_an_error_is_sent_in_the_envelope(
    client: FlaskClient, kind: str, status: int, phrase: str, code: str
) -> None:
    response = client.get(f'/raise/{kind}')

    assert response.status_code == status
    assert response.json == {
        'error': {
            'message': 'What went wrong',
            'status': status,
            'type': phrase,
            'code': code
        }
    }
    assert response.headers['Content-Type'] == 'application/json'


def test_unavailable_has_retry_after(client: FlaskClient) -> None:
    assert int(client.get('/raise/Unavailable').headers['Retry-After']) > 0


def test_a_method_that_is_not_allowed_names_those_that_are(client: FlaskClient) -> None:
    response = client.post('/crash')

    assert response.json is not None
    assert response.json['error']['type'] == 'Method Not Allowed'
    assert set(response.headers['Allow'].split(', ')) == {'GET', 'HEAD', 'OPTIONS'}


def test_an_unexpected_error_reveals_nothing(client: FlaskClient) -> None:
    response = client.get('/crash')

    assert response.status_code == 500
    assert response.json is not None
    assert response.json['error']['type'] == 'Internal Server Error'
    assert 'planted' not in response.text
