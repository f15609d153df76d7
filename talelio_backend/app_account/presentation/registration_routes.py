from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response, request

from talelio_backend.app_account.business.domain.email_address import rate_limit_subject
from talelio_backend.app_account.business.domain.errors import (
    AccountAlreadyVerified,
    EmailNotWhitelisted,
    EmailTaken,
    InvalidVerificationToken,
    NoRegisteredAccount,
    WeakPassword,
)
from talelio_backend.app_account.business.rate_limit_policies import REGISTRATION, VERIFICATION_RESEND
from talelio_backend.app_account.business.use_cases import password_recovery, registration
from talelio_backend.app_account.presentation.dependencies import AccountDependencies
from talelio_backend.app_account.presentation.rate_limit_errors import TOO_MANY_TRIES
from talelio_backend.app_account.presentation.schemas import (
    AccountAnswer,
    ClaimBody,
    MessageAnswer,
    RegisterBody,
    ResendBody,
    VerificationToken,
)
from talelio_backend.app_user.business.errors import InvalidUsername, UsernameTaken
from talelio_backend.shared.idempotency.presentation.idempotency_key import KEY_ERRORS
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.no_store import no_store
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.client import request_actor
from talelio_backend.shared.presentation.requests.json_body import read_body
from talelio_backend.shared.rate_limits.presentation.rate_limiting import limited

_LINK_ERRORS = (
    InvalidVerificationToken(),
    AccountAlreadyVerified(),
    NoRegisteredAccount('maker@example.com'),
)
_NAME_AND_PASSWORD_ERRORS = (
    InvalidUsername("must not be the reserved word 'admin'"),
    WeakPassword('is one of the most used passwords'),
)


def registration_routes(dependencies: AccountDependencies) -> Blueprint:
    routes = Blueprint('registration', __name__, url_prefix='/v1/accounts')

    @routes.post('/register')
    @described(
        'Register an account',
        description='The address must be on the whitelist. A mail with a verification link is sent to it.',
        body=RegisterBody,
        responses={HTTPStatus.CREATED: AccountAnswer},
        errors=[
            EmailNotWhitelisted(),
            EmailTaken('maker@example.com'),
            UsernameTaken('maker'),
            *_NAME_AND_PASSWORD_ERRORS,
            TOO_MANY_TRIES,
            *KEY_ERRORS,
        ],
        request_headers=['Idempotency-Key'],
        response_headers=['Idempotency-Replayed'],
    )
    def register() -> Response:
        body = read_body(RegisterBody)
        with limited(dependencies.limiter, REGISTRATION, rate_limit_subject(body.email)):
            return dependencies.idempotency.respond(
                dependencies.unit_of_work,
                lambda uow: registration.register(
                    uow,
                    dependencies.hasher,
                    whitelist=dependencies.whitelist,
                    common_passwords=dependencies.common_passwords,
                    email=body.email,
                    password=body.password,
                    username=body.username,
                    actor=request_actor(),
                    now=datetime.now(UTC),
                ),
                lambda account:
                model_response(AccountAnswer.of(account, dependencies.avatar_url), HTTPStatus.CREATED),
                caller=None,
                content=body.as_bytes,
            )

    @routes.get('/verify/<token>')
    @described(
        'Verify an account',
        description='The mailed link leads here. It is valid for 24 hours.',
        responses={HTTPStatus.OK: AccountAnswer},
        errors=_LINK_ERRORS,
    )
    @no_store
    def verify(token: VerificationToken) -> Response:
        if request.method == 'HEAD':
            # Link scanners send HEAD. Only opening the link may change anything.
            return Response(mimetype='application/json')
        account = registration.verify(
            dependencies.unit_of_work(),
            dependencies.verification_tokens,
            token=token,
            actor=request_actor(),
            now=datetime.now(UTC)
        )
        return model_response(AccountAnswer.of(account, dependencies.avatar_url))

    @routes.post('/verify/<token>')
    @described(
        'Verify an account that somebody else registered',
        description="Replaces the stranger's password and, if given, the username.",
        body=ClaimBody,
        responses={HTTPStatus.OK: AccountAnswer},
        errors=[*_LINK_ERRORS, UsernameTaken('maker'), *_NAME_AND_PASSWORD_ERRORS],
    )
    def claim(token: VerificationToken) -> Response:
        body = read_body(ClaimBody)
        account = registration.claim(
            dependencies.unit_of_work(),
            dependencies.hasher,
            dependencies.verification_tokens,
            common_passwords=dependencies.common_passwords,
            token=token,
            password=body.password,
            username=body.username,
            actor=request_actor(),
            now=datetime.now(UTC),
        )
        return model_response(AccountAnswer.of(account, dependencies.avatar_url))

    @routes.post('/verify/resend')
    @described(
        'Ask for a new verification link',
        description='The response does not reveal whether the account exists.',
        body=ResendBody,
        responses={HTTPStatus.ACCEPTED: MessageAnswer},
        errors=[TOO_MANY_TRIES],
    )
    def resend_verification() -> Response:
        body = read_body(ResendBody)
        with limited(dependencies.limiter, VERIFICATION_RESEND, rate_limit_subject(body.email)):
            password_recovery.request_by_mail(
                dependencies.unit_of_work(),
                password_recovery.VERIFICATION_REQUEST,
                email=body.email,
                actor=request_actor(),
                now=datetime.now(UTC),
            )
        return model_response(
            MessageAnswer(
                message='If an account with this email waits for its verification, a new link is '
                'on its way'
            ), HTTPStatus.ACCEPTED
        )

    return routes
