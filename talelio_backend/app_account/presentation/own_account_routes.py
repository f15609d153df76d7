from http import HTTPStatus

from flask import Blueprint, Response

from talelio_backend.app_account.business.domain.account import EmailChange
from talelio_backend.app_account.business.domain.email_address import EmailAddress
from talelio_backend.app_account.business.domain.errors import (
    AccountDisabled,
    ChangedMeanwhile,
    EmailNotWhitelisted,
    EmailTaken,
    InvalidLink,
    SessionEnded,
    WeakPassword,
    WrongPassword,
)
from talelio_backend.app_account.business.ports import LinkPurpose
from talelio_backend.app_account.business.rate_limit_policies import EMAIL_CHANGE, PASSWORD_PROOF
from talelio_backend.app_account.business.use_cases import change_email, own_account
from talelio_backend.app_account.presentation.dependencies import TOO_MANY_TRIES, AccountDependencies
from talelio_backend.app_account.presentation.schemas import (
    AccountAnswer,
    ChangeEmailBody,
    ChangePasswordBody,
    EmailChangeAnswer,
    LinkBody,
    LinkToken,
    MessageAnswer,
    PasswordBody,
    TokenAnswer,
)
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.bearer_token import authenticate
from talelio_backend.shared.presentation.requests.json_body import read_body
from talelio_backend.shared.rate_limits.presentation.rate_limiting import limited


def own_account_routes(dependencies: AccountDependencies) -> Blueprint:
    routes = Blueprint('own_account', __name__, url_prefix='/v1/accounts')

    @routes.get('/me')
    @described(
        "Show one's own account",
        bearer='required',
        responses={HTTPStatus.OK: AccountAnswer},
        errors=[SessionEnded(), AccountGone()],
    )
    def show() -> Response:
        owner = authenticate(dependencies.ports.access_tokens)
        account = own_account.show(dependencies.unit_of_work(), owner)
        return model_response(AccountAnswer.of(account, dependencies.avatar_url))

    @routes.delete('/me')
    @described(
        "Delete one's own account",
        description='Also deletes the user, projects, images and sessions. This cannot be undone.',
        bearer='required',
        body=PasswordBody,
        responses={HTTPStatus.NO_CONTENT: None},
        errors=[WrongPassword(),
                SessionEnded(),
                AccountGone(), TOO_MANY_TRIES,
                ChangedMeanwhile()],
        response_headers=['Set-Cookie'],
    )
    def delete() -> Response:
        owner = authenticate(dependencies.ports.access_tokens)
        body = read_body(PasswordBody)
        with limited(dependencies.limiter, PASSWORD_PROOF, str(owner.account_id)):
            own_account.delete(dependencies.context(), owner, body.password)
        response = Response(status=HTTPStatus.NO_CONTENT)
        dependencies.cookie.clear(response)
        return response

    @routes.put('/password')
    @described(
        "Change one's password",
        description='Ends all other sessions, revokes all access tokens and returns a new one.',
        bearer='required',
        body=ChangePasswordBody,
        responses={HTTPStatus.OK: TokenAnswer},
        errors=[
            WrongPassword(),
            WeakPassword('is one of the most used passwords'),
            SessionEnded(),
            AccountGone(),
            TOO_MANY_TRIES,
            ChangedMeanwhile(),
        ],
    )
    def change_password() -> Response:
        owner = authenticate(dependencies.ports.access_tokens)
        body = read_body(ChangePasswordBody)
        with limited(dependencies.limiter, PASSWORD_PROOF, str(owner.account_id)):
            token = own_account.change_password(
                dependencies.context(), owner, current=body.current_password, new=body.new_password
            )
        return model_response(TokenAnswer(access_token=token))

    return routes


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
        owner = authenticate(dependencies.ports.access_tokens)
        body = read_body(ChangeEmailBody)
        email = EmailAddress(body.email)
        subject = str(owner.account_id)
        with limited(dependencies.limiter, PASSWORD_PROOF,
                     subject), limited(dependencies.limiter, EMAIL_CHANGE, subject):
            change_email.request(dependencies.context(), owner, email=email, password=body.password)
        message = 'If this email can be used, a link to confirm it is on its way there'
        return model_response(MessageAnswer(message=message), HTTPStatus.ACCEPTED)

    @routes.get('/email/confirm/<token>')
    @described(
        'Show what a link to confirm an address is about',
        description='Changes nothing, so mail scanners that open links do no harm.',
        responses={HTTPStatus.OK: EmailChangeAnswer},
        errors=[InvalidLink()],
    )
    def show_confirmation(token: LinkToken) -> Response:
        change = change_email.show(dependencies.context(), LinkPurpose.EMAIL_CONFIRMATION, token)
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
        account = change_email.confirm(dependencies.context(), read_body(LinkBody).token)
        return model_response(AccountAnswer.of(account, dependencies.avatar_url))

    @routes.get('/email/revoke/<token>')
    @described(
        'Show what a link to take a change of address back is about',
        description='Changes nothing, so mail scanners that open links do no harm.',
        responses={HTTPStatus.OK: EmailChangeAnswer},
        errors=[InvalidLink()],
    )
    def show_revocation(token: LinkToken) -> Response:
        change = change_email.show(dependencies.context(), LinkPurpose.EMAIL_REVOCATION, token)
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
        account = change_email.revoke(dependencies.context(), read_body(LinkBody).token)
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
