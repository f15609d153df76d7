from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response

from talelio_backend.app_account.business import own_account
from talelio_backend.app_account.business.errors import (
    ChangedMeanwhile,
    SessionEnded,
    WeakPassword,
    WrongPassword,
)
from talelio_backend.app_account.presentation.parts import AccountParts
from talelio_backend.app_account.presentation.schemas import (
    AccountAnswer,
    ChangePasswordBody,
    PasswordBody,
    TokenAnswer,
)
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.rate_limit_policies import PASSWORD_PROOF
from talelio_backend.shared.presentation.answers import answer
from talelio_backend.shared.presentation.bearer import authenticate
from talelio_backend.shared.presentation.openapi_operation import described
from talelio_backend.shared.presentation.origin import request_origin
from talelio_backend.shared.presentation.rate_limiting import TOO_MANY_TRIES, limited
from talelio_backend.shared.presentation.request_body import read_body


def own_account_routes(parts: AccountParts) -> Blueprint:
    routes = Blueprint('own_account', __name__, url_prefix='/v1/accounts')

    @routes.get('/me')
    @described(
        "Show one's own account",
        bearer='required',
        answers={HTTPStatus.OK: AccountAnswer},
        errors=[SessionEnded(), AccountGone()],
    )
    def show() -> Response:
        account = own_account.show(parts.unit_of_work(), authenticate(parts.tokens.access))
        return answer(AccountAnswer.of(account, parts.avatar_url))

    @routes.delete('/me')
    @described(
        "Delete one's own account",
        description='And with it the user, the projects, the pictures, the sessions. This cannot be undone.',
        bearer='required',
        body=PasswordBody,
        answers={HTTPStatus.NO_CONTENT: None},
        errors=[WrongPassword(),
                SessionEnded(),
                AccountGone(), TOO_MANY_TRIES,
                ChangedMeanwhile()],
        answer_headers=['Set-Cookie'],
    )
    def delete() -> Response:
        owner = authenticate(parts.tokens.access)
        body = read_body(PasswordBody)
        with limited(parts.limiter, PASSWORD_PROOF, str(owner.account_id)):
            own_account.delete(
                parts.unit_of_work(),
                parts.hasher,
                parts.free_files,
                owner,
                password=body.password,
                origin=request_origin(),
                now=datetime.now(UTC),
            )
        response = Response(status=HTTPStatus.NO_CONTENT)
        parts.cookie.clear(response)
        return response

    @routes.put('/password')
    @described(
        "Change one's password",
        description='Ends all other sessions and all access tokens; the answer holds a new one.',
        bearer='required',
        body=ChangePasswordBody,
        answers={HTTPStatus.OK: TokenAnswer},
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
        owner = authenticate(parts.tokens.access)
        body = read_body(ChangePasswordBody)
        with limited(parts.limiter, PASSWORD_PROOF, str(owner.account_id)):
            token = own_account.change_password(
                parts.unit_of_work(),
                parts.hasher,
                parts.tokens.access,
                owner,
                common_passwords=parts.common_passwords,
                current=body.current_password,
                new=body.new_password,
                origin=request_origin(),
                now=datetime.now(UTC),
            )
        return answer(TokenAnswer(access_token=token))

    return routes
