from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response

from talelio_backend.app_account.business.domain.email_address import rate_limit_subject
from talelio_backend.app_account.business.domain.errors import (
    AccountDisabled,
    AccountNotVerified,
    ChangedMeanwhile,
    InvalidCredentials,
    InvalidRefreshToken,
    SessionEnded,
    SessionNotFound,
    SessionOver,
)
from talelio_backend.app_account.business.rate_limit_policies import LOGIN, TOKEN_REFRESH
from talelio_backend.app_account.business.use_cases import login, sessions
from talelio_backend.app_account.business.use_cases.issued_tokens import IssuedTokens
from talelio_backend.app_account.presentation.dependencies import AccountDependencies
from talelio_backend.app_account.presentation.rate_limit_errors import TOO_MANY_TRIES
from talelio_backend.app_account.presentation.schemas import (
    LoginBody,
    RefreshTokenBody,
    SessionAnswer,
    TokenAnswer,
    TokensAnswer,
)
from talelio_backend.app_account.presentation.session_cookie import ForeignPage
from talelio_backend.app_account.presentation.user_agent import request_client
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.presentation.json_responses import model_list_response, model_response
from talelio_backend.shared.presentation.operation import described
from talelio_backend.shared.presentation.requests.bearer_token import authenticate
from talelio_backend.shared.presentation.requests.client import request_actor
from talelio_backend.shared.presentation.requests.json_body import read_body, read_body_if_any
from talelio_backend.shared.rate_limits.presentation.rate_limiting import limited


def session_routes(dependencies: AccountDependencies) -> Blueprint:
    routes = Blueprint('sessions', __name__, url_prefix='/v1/accounts')

    @routes.post('/login')
    @described(
        'Log in',
        description=
        'Begins a session. The refresh token is set as a cookie, or returned in the response if the request '
        'has `"refresh": "body"`, for clients without cookies. The session of a replaced cookie ends.',
        body=LoginBody,
        responses={HTTPStatus.OK: TokenAnswer | TokensAnswer},
        errors=[
            InvalidCredentials(),
            AccountNotVerified(),
            AccountDisabled(),
            TOO_MANY_TRIES,
            ChangedMeanwhile(),
        ],
        response_headers=['Set-Cookie'],
    )
    def log_in() -> Response:
        body = read_body(LoginBody)
        actor, now = request_actor(), datetime.now(UTC)
        with limited(dependencies.limiter, LOGIN, rate_limit_subject(body.email)):
            issued = login.log_in(
                dependencies.unit_of_work(),
                dependencies.hasher,
                dependencies.tokens,
                email=body.email,
                password=body.password,
                client=request_client(),
                actor=actor,
                now=now,
            )
        in_body = body.refresh == 'body'
        former = None if in_body else dependencies.cookie.replaced()
        if former is not None:
            # The browser no longer has this cookie, so nobody but a thief could use it.
            sessions.log_out(
                dependencies.unit_of_work(), dependencies.tokens.refresh, token=former, actor=actor, now=now
            )
        return _token_response(dependencies, issued, in_body=in_body)

    @routes.post('/token')
    @described(
        'Get a new access token',
        description='Exchanges the refresh token in the cookie or the body for a new one in the same place. '
        'Replaying a token more than ten seconds after its exchange ends the session.',
        body=RefreshTokenBody,
        body_required=False,
        responses={HTTPStatus.OK: TokenAnswer | TokensAnswer},
        errors=[
            InvalidRefreshToken('No refresh token provided'),
            InvalidRefreshToken(),
            SessionOver(),
            AccountNotVerified(),
            AccountDisabled(),
            ForeignPage(),
            TOO_MANY_TRIES,
        ],
        response_headers=['Set-Cookie'],
    )
    def refresh() -> Response:
        sent = read_body_if_any(RefreshTokenBody).refresh_token
        token = sent or dependencies.cookie.read()
        if token is None:
            raise InvalidRefreshToken('No refresh token provided')
        with limited(dependencies.limiter, TOKEN_REFRESH):
            issued = sessions.refresh(
                dependencies.unit_of_work(),
                dependencies.tokens,
                token=token,
                client=request_client(),
                actor=request_actor(),
                now=datetime.now(UTC),
            )
        return _token_response(dependencies, issued, in_body=bool(sent))

    @routes.post('/logout')
    @described(
        'Log out',
        description=
        'Ends the session of the refresh token in the cookie or the body, or else that of the access token.',
        bearer='optional',
        body=RefreshTokenBody,
        body_required=False,
        responses={HTTPStatus.NO_CONTENT: None},
        errors=[ForeignPage(), SessionEnded(), AccountGone()],
        response_headers=['Set-Cookie'],
    )
    def log_out() -> Response:
        token = read_body_if_any(RefreshTokenBody).refresh_token or dependencies.cookie.read()
        actor, now = request_actor(), datetime.now(UTC)
        if token is not None:
            sessions.log_out(
                dependencies.unit_of_work(), dependencies.tokens.refresh, token=token, actor=actor, now=now
            )
        else:
            owner = authenticate(dependencies.tokens.access)
            sessions.end_current(dependencies.unit_of_work(), owner, actor=actor, now=now)
        return _logged_out_response(dependencies)

    @routes.post('/logout/all')
    @described(
        'Log out everywhere',
        description="Ends all of the account's sessions and access tokens.",
        bearer='required',
        responses={HTTPStatus.NO_CONTENT: None},
        errors=[SessionEnded(), AccountGone()],
        response_headers=['Set-Cookie'],
    )
    def log_out_everywhere() -> Response:
        owner = authenticate(dependencies.tokens.access)
        sessions.log_out_everywhere(
            dependencies.unit_of_work(), owner, actor=request_actor(), now=datetime.now(UTC)
        )
        return _logged_out_response(dependencies)

    @routes.get('/sessions')
    @described(
        "List one's own sessions, the most recently used first",
        bearer='required',
        responses={HTTPStatus.OK: list[SessionAnswer]},
        errors=[SessionEnded(), AccountGone()],
    )
    def list_own() -> Response:
        owner = authenticate(dependencies.tokens.access)
        own = sessions.list_own(dependencies.unit_of_work(), owner, datetime.now(UTC))
        return model_list_response([SessionAnswer.of(session, owner.session_id) for session in own])

    @routes.delete('/sessions/<id:session_id>')
    @described(
        "End one of one's own sessions",
        bearer='required',
        responses={HTTPStatus.NO_CONTENT: None},
        errors=[SessionNotFound(7), SessionEnded(), AccountGone()],
        response_headers=['Set-Cookie'],
    )
    def end_own(session_id: int) -> Response:
        owner = authenticate(dependencies.tokens.access)
        sessions.end_own(
            dependencies.unit_of_work(), owner, session_id, actor=request_actor(), now=datetime.now(UTC)
        )
        if session_id == owner.session_id:
            return _logged_out_response(dependencies)
        return Response(status=HTTPStatus.NO_CONTENT)

    return routes


def _token_response(dependencies: AccountDependencies, issued: IssuedTokens, *, in_body: bool) -> Response:
    if in_body:
        return model_response(
            TokensAnswer(access_token=issued.access_token, refresh_token=issued.refresh_token)
        )
    response = model_response(TokenAnswer(access_token=issued.access_token))
    dependencies.cookie.set(response, issued.refresh_token, lifetime=issued.lifetime)
    return response


def _logged_out_response(dependencies: AccountDependencies) -> Response:
    response = Response(status=HTTPStatus.NO_CONTENT)
    dependencies.cookie.clear(response)
    return response
