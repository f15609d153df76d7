from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response

from talelio_backend.app_account.business import login
from talelio_backend.app_account.business.errors import AccountNotVerified, InvalidCredentials
from talelio_backend.app_account.presentation.parts import AccountParts
from talelio_backend.app_account.presentation.schemas import LoginBody, TokenAnswer
from talelio_backend.shared.presentation.answers import answer
from talelio_backend.shared.presentation.openapi_operation import described
from talelio_backend.shared.presentation.request_body import read_body


def session_routes(parts: AccountParts) -> Blueprint:
    routes = Blueprint('sessions', __name__, url_prefix='/v1/accounts')

    @routes.post('/login')
    @described(
        'Log in',
        body=LoginBody,
        answers={HTTPStatus.OK: TokenAnswer},
        errors=[InvalidCredentials(), AccountNotVerified()],
    )
    def log_in() -> Response:
        body = read_body(LoginBody)
        token = login.log_in(
            parts.unit_of_work(),
            parts.hasher,
            parts.access_tokens,
            email=body.email,
            password=body.password,
            now=datetime.now(UTC),
        )
        return answer(TokenAnswer(access_token=token))

    return routes
