from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response

from talelio_backend.app_account.business.domain.email_address import rate_limit_subject
from talelio_backend.app_account.business.domain.errors import InvalidLink, WeakPassword
from talelio_backend.app_account.business.rate_limit_policies import PASSWORD_FORGOT, PASSWORD_RESET
from talelio_backend.app_account.business.use_cases import password_recovery
from talelio_backend.app_account.presentation.dependencies import AccountDependencies
from talelio_backend.app_account.presentation.rate_limit_errors import TOO_MANY_TRIES
from talelio_backend.app_account.presentation.schemas import (
    LinkToken,
    MessageAnswer,
    PasswordResetAnswer,
    ResendBody,
    ResetPasswordBody,
)
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.client import request_actor
from talelio_backend.shared.presentation.requests.json_body import read_body
from talelio_backend.shared.rate_limits.presentation.rate_limiting import limited, remember_network


def recovery_routes(dependencies: AccountDependencies) -> Blueprint:
    routes = Blueprint('recovery', __name__, url_prefix='/v1/accounts')

    @routes.post('/password/forgot')
    @described(
        'Ask for a link to choose a new password',
        description='The response is always the same. The link is valid for an hour and works once.',
        body=ResendBody,
        responses={HTTPStatus.ACCEPTED: MessageAnswer},
        errors=[TOO_MANY_TRIES],
    )
    def forgot() -> Response:
        body = read_body(ResendBody)
        with limited(dependencies.limiter, PASSWORD_FORGOT, rate_limit_subject(body.email)):
            password_recovery.request_by_mail(
                dependencies.unit_of_work(),
                password_recovery.RESET_REQUEST,
                email=body.email,
                actor=request_actor(),
                now=datetime.now(UTC)
            )
        return model_response(
            MessageAnswer(message='If there is an account with this email, a link is on its way'),
            HTTPStatus.ACCEPTED
        )

    @routes.get('/password/reset/<token>')
    @described(
        'Show what a link to choose a new password is about',
        description='Changes nothing, so mail scanners that open links do no harm.',
        responses={HTTPStatus.OK: PasswordResetAnswer},
        errors=[InvalidLink()],
    )
    def show(token: LinkToken) -> Response:
        account = password_recovery.show_reset(
            dependencies.unit_of_work(), dependencies.reset_tokens, token=token
        )
        return model_response(
            PasswordResetAnswer(
                email=account.email,
                username=account.user.username,
                message='Nothing was changed yet. To choose a new password, POST {"token": …, "password": …} '
                'to /v1/accounts/password/reset',
            )
        )

    @routes.post('/password/reset')
    @described(
        'Choose a new password with a mailed link',
        description='Ends all sessions. Also verifies an unverified account.',
        body=ResetPasswordBody,
        responses={HTTPStatus.NO_CONTENT: None},
        errors=[InvalidLink(),
                WeakPassword('is one of the most used passwords'), TOO_MANY_TRIES],
    )
    def reset() -> Response:
        body = read_body(ResetPasswordBody)
        with limited(dependencies.limiter, PASSWORD_RESET):
            account = password_recovery.reset_password(
                dependencies.unit_of_work(),
                dependencies.hasher,
                dependencies.reset_tokens,
                common_passwords=dependencies.common_passwords,
                token=body.token,
                password=body.password,
                actor=request_actor(),
                now=datetime.now(UTC),
            )
        remember_network(dependencies.limiter, account.email)
        return Response(status=HTTPStatus.NO_CONTENT)

    return routes
