from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response

from talelio_backend.app_user.business import services
from talelio_backend.app_user.business.errors import AccountGone, UserNotFound
from talelio_backend.app_user.business.ports import UserUnitOfWork
from talelio_backend.app_user.business.user import LOCATION_LENGTH, User
from talelio_backend.app_user.presentation.schemas import ChangeUserBody, UserAnswer, Username
from talelio_backend.shared.business.errors import InvalidValue, PreconditionFailed
from talelio_backend.shared.business.identity import AccessTokens
from talelio_backend.shared.presentation.caching.conditional_requests import Representation, precondition
from talelio_backend.shared.presentation.json_responses import model_response
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.bearer_token import authenticate
from talelio_backend.shared.presentation.requests.json_body import read_body


@dataclass(frozen=True, kw_only=True)
class UserDependencies:
    unit_of_work: Callable[[], UserUnitOfWork]
    access_tokens: AccessTokens
    avatar_url: Callable[[User], str]


def user_routes(dependencies: UserDependencies) -> Blueprint:
    routes = Blueprint('users', __name__, url_prefix='/v1/users')

    @routes.get('/<username>')
    @described('Show a user', responses={HTTPStatus.OK: UserAnswer}, errors=[UserNotFound('maker')])
    def show(username: Username) -> Response:
        return model_response(
            UserAnswer.of(services.show(dependencies.unit_of_work(), username), dependencies.avatar_url)
        )

    @routes.get('/me')
    @described(
        "Show one's own user",
        bearer='required',
        responses={HTTPStatus.OK: UserAnswer},
        errors=[AccountGone()]
    )
    def show_own() -> Response:
        owner = authenticate(dependencies.access_tokens)
        return model_response(
            UserAnswer.of(services.show_own(dependencies.unit_of_work(), owner), dependencies.avatar_url)
        )

    @routes.patch('/me')
    @described(
        "Change one's own user",
        bearer='required',
        body=ChangeUserBody,
        responses={HTTPStatus.OK: UserAnswer},
        errors=[
            InvalidValue('location', f'must have at most {LOCATION_LENGTH} characters'),
            InvalidValue('location', 'must be one line of text, without control characters'),
            AccountGone(),
            PreconditionFailed(),
        ],
        request_headers=['If-Match'],
        response_headers=['ETag'],
    )
    def change_own() -> Response:
        owner = authenticate(dependencies.access_tokens)
        body = read_body(ChangeUserBody)
        user = services.change_own(
            dependencies.unit_of_work(),
            owner,
            location=body.location,
            now=datetime.now(UTC),
            precondition=precondition(
                lambda user: Representation.of(UserAnswer.of(user, dependencies.avatar_url))
            ),
        )
        return model_response(UserAnswer.of(user, dependencies.avatar_url))

    return routes
