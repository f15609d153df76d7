from datetime import UTC, datetime
from typing import Literal

import pytest
from flask import Flask

from talelio_backend.app_account.data.jwt import JwtAccessTokens
from talelio_backend.shared.business.errors import Forbidden
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.bearer_token import authenticate, authenticate_if_given
from talelio_backend.shared.presentation.requests.environ_keys import ACCOUNT
from tests.support.served_api import SECRET_KEY

APP = Flask(__name__)
TOKENS = JwtAccessTokens(SECRET_KEY)
TOKEN = TOKENS.issue(Identity(7), datetime.now(UTC))


def authenticated(header: str | None) -> Identity:
    headers = {} if header is None else {'Authorization': header}
    with APP.test_request_context(headers=headers):
        return authenticate(TOKENS)


@pytest.mark.parametrize(
    'header', [f'Bearer {TOKEN}', f'bearer {TOKEN}', f'Bearer   {TOKEN} ', f'Bearer\t{TOKEN}']
)
def test_a_valid_token_identifies_its_account(header: str) -> None:
    assert authenticated(header) == Identity(7)


def test_the_environ_contains_the_account() -> None:
    with APP.test_request_context(headers={'Authorization': f'Bearer {TOKEN}'}) as context:
        authenticate(TOKENS)
        assert context.request.environ[ACCOUNT] == 7


@pytest.mark.parametrize(
    ('header', 'message'),
    [
        (None, 'No authorization header provided'),
        ('', 'No authorization token provided'),
        (' ', 'No authorization token provided'),
        ('Bearer', 'No authorization token provided'),
        ('Bearer ', 'No authorization token provided'),
        ('Basic', 'No authorization token provided'),
        # Like a token behind an empty scheme.
        (f' {TOKEN}', 'No authorization token provided'),
        (f'Token {TOKEN}', 'No authorization token provided'),
        (TOKEN, 'No authorization token provided'),
        ('Bearer x', 'Not enough segments'),
        ('Basic x', 'Not enough segments'),
        (f'Bearer {TOKEN} x', 'Invalid crypto padding'),
    ],
)
def test_an_invalid_header_is_forbidden_with_the_reason(header: str | None, message: str) -> None:
    with pytest.raises(Forbidden) as caught:
        authenticated(header)
    assert caught.value.message == message


@pytest.mark.parametrize(('header', 'identity'), [(None, None), (f'Bearer {TOKEN}', Identity(7))])
def test_a_valid_optional_token_identifies_its_account(header: str | None, identity: Identity | None) -> None:
    headers = {} if header is None else {'Authorization': header}
    with APP.test_request_context(headers=headers):
        assert authenticate_if_given(TOKENS) == identity


@pytest.mark.parametrize('header', ['', 'Bearer', 'Bearer x'])
def test_an_invalid_optional_token_is_refused(header: str) -> None:
    with APP.test_request_context(headers={'Authorization': header}), pytest.raises(Forbidden):
        authenticate_if_given(TOKENS)


@pytest.mark.parametrize(('bearer', 'status'), [('required', 200), ('optional', 200), (None, 500)])
def test_a_view_must_describe_authentication(
    bearer: Literal['required', 'optional'] | None, status: int
) -> None:
    app = Flask(__name__)

    @app.get('/')
    @described('Whoever it is', responses={200: None}, bearer=bearer)
    def show() -> str:
        return str(authenticate(TOKENS).account_id)

    assert app.test_client().get('/', headers={'Authorization': f'Bearer {TOKEN}'}).status_code == status
