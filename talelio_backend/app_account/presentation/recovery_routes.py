from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response

from talelio_backend.app_account.business import recovery
from talelio_backend.app_account.business.email_address import one_spelling
from talelio_backend.app_account.business.errors import InvalidLink, WeakPassword
from talelio_backend.app_account.presentation.parts import AccountParts
from talelio_backend.app_account.presentation.schemas import (
    LinkToken,
    MessageAnswer,
    PasswordResetAnswer,
    ResendBody,
    ResetPasswordBody,
)
from talelio_backend.shared.business.rate_limit_policies import PASSWORD_FORGOT, PASSWORD_RESET
from talelio_backend.shared.presentation.answers import answer
from talelio_backend.shared.presentation.openapi_operation import described
from talelio_backend.shared.presentation.origin import request_origin
from talelio_backend.shared.presentation.rate_limiting import TOO_MANY_TRIES, limited, make_known
from talelio_backend.shared.presentation.request_body import read_body


def recovery_routes(parts: AccountParts) -> Blueprint:
    routes = Blueprint('recovery', __name__, url_prefix='/v1/accounts')

    @routes.post('/password/forgot')
    @described(
        'Ask for a link to choose a new password',
        description='The answer is always the same. The link lives an hour and is good once.',
        body=ResendBody,
        answers={HTTPStatus.ACCEPTED: MessageAnswer},
        errors=[TOO_MANY_TRIES],
    )
    def forgot() -> Response:
        body = read_body(ResendBody)
        with limited(parts.limiter, PASSWORD_FORGOT, one_spelling(body.email)):
            recovery.request_by_mail(
                parts.unit_of_work(),
                recovery.RESET_REQUEST,
                email=body.email,
                origin=request_origin(),
                now=datetime.now(UTC)
            )
        return answer(
            MessageAnswer(message='If there is an account with this email, a link is on its way'),
            HTTPStatus.ACCEPTED
        )

    @routes.get('/password/reset/<token>')
    @described(
        'Show what a link to choose a new password is about',
        description='Changes nothing, so that programs which open the links of mails do no harm.',
        answers={HTTPStatus.OK: PasswordResetAnswer},
        errors=[InvalidLink()],
    )
    def show(token: LinkToken) -> Response:
        account = recovery.show_reset(parts.unit_of_work(), parts.reset_tokens, token=token)
        return answer(
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
        description='Ends all sessions. An account that was not verified yet is verified by it.',
        body=ResetPasswordBody,
        answers={HTTPStatus.NO_CONTENT: None},
        errors=[InvalidLink(),
                WeakPassword('is one of the most used passwords'), TOO_MANY_TRIES],
    )
    def reset() -> Response:
        body = read_body(ResetPasswordBody)
        with limited(parts.limiter, PASSWORD_RESET):
            account = recovery.reset_password(
                parts.unit_of_work(),
                parts.hasher,
                parts.reset_tokens,
                common_passwords=parts.common_passwords,
                token=body.token,
                password=body.password,
                origin=request_origin(),
                now=datetime.now(UTC),
            )
        make_known(parts.limiter, account.email)
        return Response(status=HTTPStatus.NO_CONTENT)

    return routes
