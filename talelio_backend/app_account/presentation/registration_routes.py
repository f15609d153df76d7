"""Routes for those who cannot log in yet, or not any more."""
from http import HTTPStatus

from flask import Blueprint, Response, request

from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.domain.errors import (
    AccountAlreadyVerified,
    EmailNotWhitelisted,
    EmailTaken,
    InvalidLink,
    InvalidVerificationToken,
    NoRegisteredAccount,
    WeakPassword,
)
from talelio_backend.app_account.business.rate_limit_policies import (
    PASSWORD_FORGOT,
    PASSWORD_RESET,
    REGISTRATION,
    VERIFICATION_RESEND,
)
from talelio_backend.app_account.business.use_cases import password_recovery, registration
from talelio_backend.app_account.presentation.dependencies import TOO_MANY_TRIES, AccountDependencies
from talelio_backend.app_account.presentation.schemas import (
    AccountAnswer,
    ClaimBody,
    LinkToken,
    MessageAnswer,
    PasswordResetAnswer,
    RegisterBody,
    ResendBody,
    ResetPasswordBody,
    VerificationToken,
    VerifyBody,
)
from talelio_backend.app_user.business.errors import InvalidUsername, UsernameTaken
from talelio_backend.shared.idempotency.presentation.idempotency_key import KEY_ERRORS
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.json_body import read_body
from talelio_backend.shared.rate_limits.presentation.rate_limiting import limited, remember_network

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

    def respond_verified(token: str, password: str | None = None, username: str | None = None) -> Response:
        context = dependencies.context()
        if password is None:
            account = registration.verify(context, token)
        else:
            account = registration.claim(context, token=token, password=password, username=username)
            remember_network(dependencies.limiter, account.email)
        return model_response(AccountAnswer.of(account, dependencies.avatar_url))

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
        email = EmailAddress(body.email)
        with limited(dependencies.limiter, REGISTRATION, email.rate_limit_subject):
            return dependencies.idempotency.respond(
                dependencies.unit_of_work,
                lambda uow: registration.register(
                    dependencies.context(uow=uow),
                    email=email,
                    password=body.password,
                    username=body.username
                ),
                lambda account:
                model_response(AccountAnswer.of(account, dependencies.avatar_url), HTTPStatus.CREATED),
                caller=None,
                content=body.as_bytes,
            )

    @routes.get('/verify/<token>')
    @described(
        'Verify an account',
        description='The mailed link leads here. It is valid for 24 hours. The password is the one of the '
        'registration, whoever sent it; a reset of the password replaces it.',
        responses={HTTPStatus.OK: AccountAnswer},
        errors=_LINK_ERRORS,
        no_store=True,
    )
    def verify(token: VerificationToken) -> Response:
        if request.method == 'HEAD':
            # Link scanners send HEAD. Only opening the link may change anything.
            return Response(mimetype='application/json')
        return respond_verified(token)

    @routes.post('/verify')
    @described(
        'Verify an account, with the token in the body',
        description=
        'For a page that the mailed link leads to. The page should ask for the password and send it: '
        'it replaces the password of whoever registered, who may be a stranger.',
        body=VerifyBody,
        responses={HTTPStatus.OK: AccountAnswer},
        errors=[*_LINK_ERRORS, WeakPassword('is one of the most used passwords')],
    )
    def verify_by_token() -> Response:
        body = read_body(VerifyBody)
        return respond_verified(body.token, body.password)

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
        return respond_verified(token, body.password, body.username)

    @routes.post('/verify/resend')
    @described(
        'Ask for a new verification link',
        description='The response does not reveal whether the account exists.',
        body=ResendBody,
        responses={HTTPStatus.ACCEPTED: MessageAnswer},
        errors=[TOO_MANY_TRIES],
    )
    def resend_verification() -> Response:
        email = EmailAddress(read_body(ResendBody).email)
        with limited(dependencies.limiter, VERIFICATION_RESEND, email.rate_limit_subject):
            kind = password_recovery.VERIFICATION_REQUEST
            password_recovery.request_by_mail(dependencies.context(), kind, email)
        message = 'If an account with this email waits for its verification, a new link is on its way'
        return model_response(MessageAnswer(message=message), HTTPStatus.ACCEPTED)

    return routes


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
        email = EmailAddress(read_body(ResendBody).email)
        with limited(dependencies.limiter, PASSWORD_FORGOT, email.rate_limit_subject):
            kind = password_recovery.RESET_REQUEST
            password_recovery.request_by_mail(dependencies.context(), kind, email)
        message = 'If there is an account with this email, a link is on its way'
        return model_response(MessageAnswer(message=message), HTTPStatus.ACCEPTED)

    @routes.get('/password/reset/<token>')
    @described(
        'Show what a link to choose a new password is about',
        description='Changes nothing, so mail scanners that open links do no harm.',
        responses={HTTPStatus.OK: PasswordResetAnswer},
        errors=[InvalidLink()],
    )
    def show(token: LinkToken) -> Response:
        account = password_recovery.show_reset(dependencies.context(), token)
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
            context = dependencies.context()
            account = password_recovery.reset_password(context, token=body.token, password=body.password)
        remember_network(dependencies.limiter, account.email)
        return Response(status=HTTPStatus.NO_CONTENT)

    return routes
