from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response

from talelio_backend.app_account.business.domain.errors import (
    ChangedMeanwhile,
    SessionEnded,
    WeakPassword,
    WrongPassword,
)
from talelio_backend.app_account.business.rate_limit_policies import PASSWORD_PROOF
from talelio_backend.app_account.business.use_cases import own_account
from talelio_backend.app_account.presentation.dependencies import AccountDependencies
from talelio_backend.app_account.presentation.rate_limit_errors import TOO_MANY_TRIES
from talelio_backend.app_account.presentation.schemas import (
    AccountAnswer,
    ChangePasswordBody,
    PasswordBody,
    TokenAnswer,
)
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.bearer_token import authenticate
from talelio_backend.shared.presentation.requests.client import request_actor
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
        account = own_account.show(dependencies.unit_of_work(), authenticate(dependencies.tokens.access))
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
        owner = authenticate(dependencies.tokens.access)
        body = read_body(PasswordBody)
        with limited(dependencies.limiter, PASSWORD_PROOF, str(owner.account_id)):
            own_account.delete(
                dependencies.unit_of_work(),
                dependencies.hasher,
                dependencies.free_files,
                owner,
                password=body.password,
                actor=request_actor(),
                now=datetime.now(UTC),
            )
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
        owner = authenticate(dependencies.tokens.access)
        body = read_body(ChangePasswordBody)
        with limited(dependencies.limiter, PASSWORD_PROOF, str(owner.account_id)):
            token = own_account.change_password(
                dependencies.unit_of_work(),
                dependencies.hasher,
                dependencies.tokens.access,
                owner,
                common_passwords=dependencies.common_passwords,
                current=body.current_password,
                new=body.new_password,
                actor=request_actor(),
                now=datetime.now(UTC),
            )
        return model_response(TokenAnswer(access_token=token))

    return routes
