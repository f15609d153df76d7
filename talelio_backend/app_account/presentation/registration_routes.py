from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response, request

from talelio_backend.app_account.business import recovery, registration
from talelio_backend.app_account.business.email_address import one_spelling
from talelio_backend.app_account.business.errors import (
    AccountAlreadyVerified,
    EmailNotWhitelisted,
    EmailTaken,
    InvalidVerificationToken,
    NoRegisteredAccount,
    WeakPassword,
)
from talelio_backend.app_account.presentation.parts import AccountParts
from talelio_backend.app_account.presentation.schemas import (
    AccountAnswer,
    ClaimBody,
    MessageAnswer,
    RegisterBody,
    ResendBody,
    VerificationToken,
)
from talelio_backend.app_user.business.errors import InvalidUsername, UsernameTaken
from talelio_backend.shared.business.rate_limit_policies import REGISTRATION, VERIFICATION_RESEND
from talelio_backend.shared.presentation.answers import answer
from talelio_backend.shared.presentation.idempotency import KEY_ERRORS
from talelio_backend.shared.presentation.no_store import no_store
from talelio_backend.shared.presentation.openapi_operation import described
from talelio_backend.shared.presentation.origin import request_origin
from talelio_backend.shared.presentation.rate_limiting import TOO_MANY_TRIES, limited
from talelio_backend.shared.presentation.request_body import read_body

_LINK_ERRORS = (
    InvalidVerificationToken(),
    AccountAlreadyVerified(),
    NoRegisteredAccount('maker@example.com'),
)
_NAME_AND_PASSWORD_ERRORS = (
    InvalidUsername("must not be the reserved word 'admin'"),
    WeakPassword('is one of the most used passwords'),
)


def registration_routes(parts: AccountParts) -> Blueprint:
    routes = Blueprint('registration', __name__, url_prefix='/v1/accounts')

    @routes.post('/register')
    @described(
        'Register an account',
        description='The address must be on the whitelist. A link that verifies it comes by mail.',
        body=RegisterBody,
        answers={HTTPStatus.CREATED: AccountAnswer},
        errors=[
            EmailNotWhitelisted(),
            EmailTaken('maker@example.com'),
            UsernameTaken('maker'),
            *_NAME_AND_PASSWORD_ERRORS,
            TOO_MANY_TRIES,
            *KEY_ERRORS,
        ],
        request_headers=['Idempotency-Key'],
        answer_headers=['Idempotency-Replayed'],
    )
    def register() -> Response:
        body = read_body(RegisterBody)
        with limited(parts.limiter, REGISTRATION, one_spelling(body.email)):
            return parts.idempotency.answer(
                parts.unit_of_work,
                lambda uow: registration.register(
                    uow,
                    parts.hasher,
                    whitelist=parts.whitelist,
                    common_passwords=parts.common_passwords,
                    email=body.email,
                    password=body.password,
                    username=body.username,
                    origin=request_origin(),
                    now=datetime.now(UTC),
                ),
                lambda account: answer(AccountAnswer.of(account, parts.avatar_url), HTTPStatus.CREATED),
                caller=None,
                content=body.as_bytes,
            )

    @routes.get('/verify/<token>')
    @described(
        'Verify an account',
        description='The link that came by mail; it lives 24 hours.',
        answers={HTTPStatus.OK: AccountAnswer},
        errors=_LINK_ERRORS,
    )
    @no_store
    def verify(token: VerificationToken) -> Response:
        if request.method == 'HEAD':
            # Programs that look at links send it; only opening one may change anything.
            return Response(mimetype='application/json')
        account = registration.verify(
            parts.unit_of_work(),
            parts.verification_tokens,
            token=token,
            origin=request_origin(),
            now=datetime.now(UTC)
        )
        return answer(AccountAnswer.of(account, parts.avatar_url))

    @routes.post('/verify/<token>')
    @described(
        'Verify an account that somebody else registered',
        description="It gets this password, and this username if one is given, instead of the stranger's.",
        body=ClaimBody,
        answers={HTTPStatus.OK: AccountAnswer},
        errors=[*_LINK_ERRORS, UsernameTaken('maker'), *_NAME_AND_PASSWORD_ERRORS],
    )
    def claim(token: VerificationToken) -> Response:
        body = read_body(ClaimBody)
        account = registration.claim(
            parts.unit_of_work(),
            parts.hasher,
            parts.verification_tokens,
            common_passwords=parts.common_passwords,
            token=token,
            password=body.password,
            username=body.username,
            origin=request_origin(),
            now=datetime.now(UTC),
        )
        return answer(AccountAnswer.of(account, parts.avatar_url))

    @routes.post('/verify/resend')
    @described(
        'Ask for a new verification link',
        description='The answer is the same whether the account exists or not.',
        body=ResendBody,
        answers={HTTPStatus.ACCEPTED: MessageAnswer},
        errors=[TOO_MANY_TRIES],
    )
    def resend_verification() -> Response:
        body = read_body(ResendBody)
        with limited(parts.limiter, VERIFICATION_RESEND, one_spelling(body.email)):
            recovery.request_by_mail(
                parts.unit_of_work(),
                recovery.VERIFICATION_REQUEST,
                email=body.email,
                origin=request_origin(),
                now=datetime.now(UTC),
            )
        return answer(
            MessageAnswer(
                message='If an account with this email waits for its verification, a new link is '
                'on its way'
            ), HTTPStatus.ACCEPTED
        )

    return routes
