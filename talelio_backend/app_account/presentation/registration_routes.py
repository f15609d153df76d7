from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response, request

from talelio_backend.app_account.business import registration
from talelio_backend.app_account.presentation.parts import AccountParts
from talelio_backend.app_account.presentation.schemas import (
    AccountAnswer,
    ClaimBody,
    MessageAnswer,
    RegisterBody,
    ResendBody,
)
from talelio_backend.shared.presentation.answers import answer
from talelio_backend.shared.presentation.request_body import read_body


def registration_routes(parts: AccountParts) -> Blueprint:
    routes = Blueprint('registration', __name__, url_prefix='/v1/accounts')

    @routes.post('/register')
    def register() -> Response:
        body = read_body(RegisterBody)
        account = registration.register(
            parts.unit_of_work(),
            parts.hasher,
            whitelist=parts.whitelist,
            common_passwords=parts.common_passwords,
            email=body.email,
            password=body.password,
            username=body.username,
            now=datetime.now(UTC),
        )
        return answer(AccountAnswer.of(account, parts.avatar_url), HTTPStatus.CREATED)

    @routes.get('/verify/<token>')
    def verify(token: str) -> Response:
        if request.method == 'HEAD':
            # Programs that look at links send it; only opening one may change anything.
            return Response(mimetype='application/json')
        account = registration.verify(
            parts.unit_of_work(), parts.verification_tokens, token=token, now=datetime.now(UTC)
        )
        return answer(AccountAnswer.of(account, parts.avatar_url))

    @routes.post('/verify/<token>')
    def claim(token: str) -> Response:
        body = read_body(ClaimBody)
        account = registration.claim(
            parts.unit_of_work(),
            parts.hasher,
            parts.verification_tokens,
            common_passwords=parts.common_passwords,
            token=token,
            password=body.password,
            username=body.username,
            now=datetime.now(UTC),
        )
        return answer(AccountAnswer.of(account, parts.avatar_url))

    @routes.post('/verify/resend')
    def resend_verification() -> Response:
        body = read_body(ResendBody)
        registration.resend_verification(parts.unit_of_work(), email=body.email, now=datetime.now(UTC))
        return answer(
            MessageAnswer(
                message='If an account with this email waits for its verification, a new link is '
                'on its way'
            ), HTTPStatus.ACCEPTED
        )

    return routes
