from http import HTTPStatus

from flask import Blueprint, Response

from talelio_backend.app_account.business.domain.email_address import EmailAddress
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
from talelio_backend.app_account.business.use_cases import sessions
from talelio_backend.app_account.business.use_cases.sessions import IssuedTokens
from talelio_backend.app_account.presentation.dependencies import TOO_MANY_TRIES, AccountDependencies
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
        email = EmailAddress(body.email)
        context = dependencies.context()
        with limited(dependencies.limiter, LOGIN, email.rate_limit_subject):
            issued = sessions.log_in(context, email=email, password=body.password, client=request_client())
        in_body = body.refresh == 'body'
        former = None if in_body else dependencies.cookie.replaced()
        if former is not None:
            # The browser no longer has this cookie, so nobody but a thief could use it.
            sessions.log_out(context, former)
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
            issued = sessions.refresh(dependencies.context(), token=token, client=request_client())
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
        if token is not None:
            sessions.log_out(dependencies.context(), token)
        else:
            owner = authenticate(dependencies.ports.access_tokens)
            sessions.end_current(dependencies.context(), owner)
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
        owner = authenticate(dependencies.ports.access_tokens)
        sessions.log_out_everywhere(dependencies.context(), owner)
        return _logged_out_response(dependencies)

    @routes.get('/sessions')
    @described(
        "List one's own sessions, the most recently used first",
        bearer='required',
        responses={HTTPStatus.OK: list[SessionAnswer]},
        errors=[SessionEnded(), AccountGone()],
    )
    def list_own() -> Response:
        owner = authenticate(dependencies.ports.access_tokens)
        own = sessions.list_own(dependencies.context(), owner)
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
        owner = authenticate(dependencies.ports.access_tokens)
        sessions.end_own(dependencies.context(), owner, session_id)
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
