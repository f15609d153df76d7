from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response

from talelio_backend.app_account.business import login, sessions
from talelio_backend.app_account.business.email_address import one_spelling
from talelio_backend.app_account.business.errors import (
    AccountDisabled,
    AccountNotVerified,
    ChangedMeanwhile,
    InvalidCredentials,
    InvalidRefreshToken,
    SessionEnded,
    SessionNotFound,
    SessionOver,
)
from talelio_backend.app_account.business.grant import Grant
from talelio_backend.app_account.presentation.client import request_client
from talelio_backend.app_account.presentation.parts import AccountParts
from talelio_backend.app_account.presentation.schemas import (
    LoginBody,
    RefreshTokenBody,
    SessionAnswer,
    TokenAnswer,
    TokensAnswer,
)
from talelio_backend.app_account.presentation.session_cookie import ForeignPage
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.rate_limit_policies import LOGIN, TOKEN_REFRESH
from talelio_backend.shared.presentation.answers import answer, answer_list
from talelio_backend.shared.presentation.bearer import authenticate
from talelio_backend.shared.presentation.openapi_operation import described
from talelio_backend.shared.presentation.origin import request_origin
from talelio_backend.shared.presentation.rate_limiting import TOO_MANY_TRIES, limited
from talelio_backend.shared.presentation.request_body import read_body, read_body_if_any


def session_routes(parts: AccountParts) -> Blueprint:
    routes = Blueprint('sessions', __name__, url_prefix='/v1/accounts')

    @routes.post('/login')
    @described(
        'Log in',
        description='Begins a session. Its refresh token comes in a cookie, or with `"refresh": "body"` in '
        'the answer, for clients that keep no cookies. A session whose cookie it replaces ends.',
        body=LoginBody,
        answers={HTTPStatus.OK: TokenAnswer | TokensAnswer},
        errors=[
            InvalidCredentials(),
            AccountNotVerified(),
            AccountDisabled(),
            TOO_MANY_TRIES,
            ChangedMeanwhile(),
        ],
        answer_headers=['Set-Cookie'],
    )
    def log_in() -> Response:
        body = read_body(LoginBody)
        origin, now = request_origin(), datetime.now(UTC)
        with limited(parts.limiter, LOGIN, one_spelling(body.email)):
            grant = login.log_in(
                parts.unit_of_work(),
                parts.hasher,
                parts.tokens,
                email=body.email,
                password=body.password,
                client=request_client(),
                origin=origin,
                now=now,
            )
        in_body = body.refresh == 'body'
        former = None if in_body else parts.cookie.replaced()
        if former is not None:
            # Nobody has its cookie any more, unless somebody else has.
            sessions.log_out(parts.unit_of_work(), parts.tokens.refresh, token=former, origin=origin, now=now)
        return _answer_grant(parts, grant, in_body=in_body)

    @routes.post('/token')
    @described(
        'Get a new access token',
        description=
        'For the refresh token in the cookie or in the body, which is exchanged for its successor in '
        'the same place. One that was exchanged more than ten seconds ago ends the session.',
        body=RefreshTokenBody,
        body_required=False,
        answers={HTTPStatus.OK: TokenAnswer | TokensAnswer},
        errors=[
            InvalidRefreshToken('No refresh token provided'),
            InvalidRefreshToken(),
            SessionOver(),
            AccountNotVerified(),
            AccountDisabled(),
            ForeignPage(),
            TOO_MANY_TRIES,
        ],
        answer_headers=['Set-Cookie'],
    )
    def refresh() -> Response:
        sent = read_body_if_any(RefreshTokenBody).refresh_token
        token = sent or parts.cookie.read()
        if token is None:
            raise InvalidRefreshToken('No refresh token provided')
        with limited(parts.limiter, TOKEN_REFRESH):
            grant = sessions.refresh(
                parts.unit_of_work(),
                parts.tokens,
                token=token,
                client=request_client(),
                origin=request_origin(),
                now=datetime.now(UTC),
            )
        return _answer_grant(parts, grant, in_body=bool(sent))

    @routes.post('/logout')
    @described(
        'Log out',
        description=
        'Ends the session of the refresh token in the cookie or in the body, or else the one of the '
        'access token.',
        bearer='optional',
        body=RefreshTokenBody,
        body_required=False,
        answers={HTTPStatus.NO_CONTENT: None},
        errors=[ForeignPage(), SessionEnded(), AccountGone()],
        answer_headers=['Set-Cookie'],
    )
    def log_out() -> Response:
        token = read_body_if_any(RefreshTokenBody).refresh_token or parts.cookie.read()
        origin, now = request_origin(), datetime.now(UTC)
        if token is not None:
            sessions.log_out(parts.unit_of_work(), parts.tokens.refresh, token=token, origin=origin, now=now)
        else:
            owner = authenticate(parts.tokens.access)
            sessions.end_current(parts.unit_of_work(), owner, origin=origin, now=now)
        return _logged_out(parts)

    @routes.post('/logout/all')
    @described(
        'Log out everywhere',
        description="Ends all of the account's sessions and access tokens.",
        bearer='required',
        answers={HTTPStatus.NO_CONTENT: None},
        errors=[SessionEnded(), AccountGone()],
        answer_headers=['Set-Cookie'],
    )
    def log_out_everywhere() -> Response:
        owner = authenticate(parts.tokens.access)
        sessions.log_out_everywhere(
            parts.unit_of_work(), owner, origin=request_origin(), now=datetime.now(UTC)
        )
        return _logged_out(parts)

    @routes.get('/sessions')
    @described(
        "List one's own sessions, the most recently used first",
        bearer='required',
        answers={HTTPStatus.OK: list[SessionAnswer]},
        errors=[SessionEnded(), AccountGone()],
    )
    def list_own() -> Response:
        owner = authenticate(parts.tokens.access)
        own = sessions.list_own(parts.unit_of_work(), owner, datetime.now(UTC))
        return answer_list([SessionAnswer.of(session, owner.session_id) for session in own])

    @routes.delete('/sessions/<id:session_id>')
    @described(
        "End one of one's own sessions",
        bearer='required',
        answers={HTTPStatus.NO_CONTENT: None},
        errors=[SessionNotFound(7), SessionEnded(), AccountGone()],
        answer_headers=['Set-Cookie'],
    )
    def end_own(session_id: int) -> Response:
        owner = authenticate(parts.tokens.access)
        sessions.end_own(
            parts.unit_of_work(), owner, session_id, origin=request_origin(), now=datetime.now(UTC)
        )
        if session_id == owner.session_id:
            return _logged_out(parts)
        return Response(status=HTTPStatus.NO_CONTENT)

    return routes


def _answer_grant(parts: AccountParts, grant: Grant, *, in_body: bool) -> Response:
    if in_body:
        return answer(TokensAnswer(access_token=grant.access_token, refresh_token=grant.refresh_token))
    response = answer(TokenAnswer(access_token=grant.access_token))
    parts.cookie.set(response, grant.refresh_token, lifetime=grant.lifetime)
    return response


def _logged_out(parts: AccountParts) -> Response:
    response = Response(status=HTTPStatus.NO_CONTENT)
    parts.cookie.clear(response)
    return response
