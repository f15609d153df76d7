from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response

from talelio_backend.app_account.business.domain.email_change import EmailChange
from talelio_backend.app_account.business.domain.errors import (
    AccountDisabled,
    ChangedMeanwhile,
    EmailNotWhitelisted,
    EmailTaken,
    InvalidLink,
    SessionEnded,
    WrongPassword,
)
from talelio_backend.app_account.business.rate_limit_policies import EMAIL_CHANGE, PASSWORD_PROOF
from talelio_backend.app_account.business.use_cases import change_email
from talelio_backend.app_account.presentation.dependencies import AccountDependencies
from talelio_backend.app_account.presentation.rate_limit_errors import TOO_MANY_TRIES
from talelio_backend.app_account.presentation.schemas import (
    AccountAnswer,
    ChangeEmailBody,
    EmailChangeAnswer,
    LinkBody,
    LinkToken,
    MessageAnswer,
)
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.bearer_token import authenticate
from talelio_backend.shared.presentation.requests.client import request_actor
from talelio_backend.shared.presentation.requests.json_body import read_body
from talelio_backend.shared.rate_limits.presentation.rate_limiting import limited


def email_change_routes(dependencies: AccountDependencies) -> Blueprint:
    routes = Blueprint('email_changes', __name__, url_prefix='/v1/accounts')

    @routes.put('/email')
    @described(
        "Ask for another address of one's own account",
        description='Sends a confirmation link to the new address and a revocation link to the old one.',
        bearer='required',
        body=ChangeEmailBody,
        responses={HTTPStatus.ACCEPTED: MessageAnswer},
        errors=[
            EmailNotWhitelisted(),
            WrongPassword(),
            SessionEnded(),
            AccountGone(),
            TOO_MANY_TRIES,
            ChangedMeanwhile(),
        ],
    )
    def request_change() -> Response:
        owner = authenticate(dependencies.tokens.access)
        body = read_body(ChangeEmailBody)
        subject = str(owner.account_id)
        with limited(dependencies.limiter, PASSWORD_PROOF,
                     subject), limited(dependencies.limiter, EMAIL_CHANGE, subject):
            change_email.request(
                dependencies.unit_of_work(),
                dependencies.hasher,
                owner,
                whitelist=dependencies.whitelist,
                email=body.email,
                password=body.password,
                actor=request_actor(),
                now=datetime.now(UTC),
            )
        return model_response(
            MessageAnswer(message='If this email can be used, a link to confirm it is on its way there'),
            HTTPStatus.ACCEPTED
        )

    @routes.get('/email/confirm/<token>')
    @described(
        'Show what a link to confirm an address is about',
        description='Changes nothing, so mail scanners that open links do no harm.',
        responses={HTTPStatus.OK: EmailChangeAnswer},
        errors=[InvalidLink()],
    )
    def show_confirmation(token: LinkToken) -> Response:
        change = change_email.show(dependencies.unit_of_work(), dependencies.confirmation_tokens, token=token)
        return _change_response(change, 'confirm')

    @routes.post('/email/confirm')
    @described(
        'Confirm the new address of an account',
        body=LinkBody,
        responses={HTTPStatus.OK: AccountAnswer},
        errors=[InvalidLink(), AccountDisabled(),
                EmailTaken('new@example.com')],
    )
    def confirm() -> Response:
        body = read_body(LinkBody)
        account = change_email.confirm(
            dependencies.unit_of_work(),
            dependencies.confirmation_tokens,
            token=body.token,
            actor=request_actor(),
            now=datetime.now(UTC)
        )
        return model_response(AccountAnswer.of(account, dependencies.avatar_url))

    @routes.get('/email/revoke/<token>')
    @described(
        'Show what a link to take a change of address back is about',
        description='Changes nothing, so mail scanners that open links do no harm.',
        responses={HTTPStatus.OK: EmailChangeAnswer},
        errors=[InvalidLink()],
    )
    def show_revocation(token: LinkToken) -> Response:
        change = change_email.show(dependencies.unit_of_work(), dependencies.revocation_tokens, token=token)
        return _change_response(change, 'revoke')

    @routes.post('/email/revoke')
    @described(
        'Take a change of address back',
        description=
        'Works even after the confirmation. Ends all sessions, invalidates the password and mails a reset '
        'link to the old address.',
        body=LinkBody,
        responses={HTTPStatus.OK: AccountAnswer},
        errors=[InvalidLink(), EmailTaken('maker@example.com')],
    )
    def revoke() -> Response:
        body = read_body(LinkBody)
        account = change_email.revoke(
            dependencies.unit_of_work(),
            dependencies.revocation_tokens,
            token=body.token,
            actor=request_actor(),
            now=datetime.now(UTC)
        )
        return model_response(AccountAnswer.of(account, dependencies.avatar_url))

    return routes


def _change_response(change: EmailChange, what: str) -> Response:
    return model_response(
        EmailChangeAnswer(
            old_email=change.old_email,
            new_email=change.new_email,
            confirmed=change.confirmed_at is not None,
            message=f'Nothing was done yet. To {what} it, POST {{"token": …}} to /v1/accounts/email/{what}',
        )
    )
