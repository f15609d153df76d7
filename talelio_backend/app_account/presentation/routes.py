from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response, request

from talelio_backend.app_account.business import services
from talelio_backend.app_account.business.ports import AccountUnitOfWork, PasswordHasher, VerificationTokens
from talelio_backend.app_account.presentation.schemas import (
    AccountAnswer,
    ClaimBody,
    LoginBody,
    MessageAnswer,
    RegisterBody,
    ResendBody,
    TokenAnswer,
)
from talelio_backend.app_user.business.user import User
from talelio_backend.shared.business.identity import AccessTokens
from talelio_backend.shared.presentation.answers import answer
from talelio_backend.shared.presentation.request_body import read_body


@dataclass(frozen=True, kw_only=True)
class AccountParts:
    """What the account routes hand to their services."""

    unit_of_work: Callable[[], AccountUnitOfWork]
    hasher: PasswordHasher
    access_tokens: AccessTokens
    verification_tokens: VerificationTokens
    # Canonical addresses.
    whitelist: Container[str]
    common_passwords: Container[str]
    avatar_url: Callable[[User], str]


def account_routes(parts: AccountParts) -> Blueprint:
    routes = Blueprint('accounts', __name__, url_prefix='/v1/accounts')

    @routes.post('/register')
    def register() -> Response:
        body = read_body(RegisterBody)
        account = services.register(
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

    @routes.post('/login')
    def log_in() -> Response:
        body = read_body(LoginBody)
        token = services.log_in(
            parts.unit_of_work(),
            parts.hasher,
            parts.access_tokens,
            email=body.email,
            password=body.password,
            now=datetime.now(UTC),
        )
        return answer(TokenAnswer(access_token=token))

    @routes.get('/verify/<token>')
    def verify(token: str) -> Response:
        if request.method == 'HEAD':
            # Programs that look at links send it; only opening one may change anything.
            return Response(mimetype='application/json')
        account = services.verify(
            parts.unit_of_work(), parts.verification_tokens, token=token, now=datetime.now(UTC)
        )
        return answer(AccountAnswer.of(account, parts.avatar_url))

    @routes.post('/verify/<token>')
    def claim(token: str) -> Response:
        body = read_body(ClaimBody)
        account = services.claim(
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
        services.resend_verification(parts.unit_of_work(), email=body.email, now=datetime.now(UTC))
        return answer(
            MessageAnswer(
                message='If an account with this email waits for its verification, a new link is '
                'on its way'
            ), HTTPStatus.ACCEPTED
        )

    return routes
