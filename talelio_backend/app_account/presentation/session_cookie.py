from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from flask import Response, request

from talelio_backend.shared.business.errors import Forbidden

# The browser sends the cookie only to the operations that use it.
_PATH = '/v1/accounts'


class ForeignPage(Forbidden):
    message = 'A request with the session cookie must come from one of the allowed origins'


@dataclass(frozen=True, kw_only=True)
class SessionCookie:
    """Stores the refresh token in an HttpOnly cookie."""

    # Scheme and host, in the form of the Origin header.
    api_origin: str
    frontends: Collection[str]

    def read(self) -> str | None:
        """Return the token, if there is one.

        Raises ForeignPage unless the Origin header names an allowed origin, since browsers attach the cookie
        to requests from any page.
        """
        token = request.cookies.get(self._name)
        if token is not None and not self._is_allowed_origin(request.headers.get('Origin')):
            raise ForeignPage()
        return token

    def replaced(self) -> str | None:
        """Return the token that `set` overwrites, if there is one."""
        return request.cookies.get(self._name
                                   ) if self._is_allowed_origin(request.headers.get('Origin')) else None

    def set(self, response: Response, token: str, *, lifetime: timedelta) -> None:
        """Ignore foreign pages, which could log their visitors in to another person's account."""
        origin = request.headers.get('Origin')
        if origin is None or self._is_allowed_origin(origin):
            self._write(response, token, lifetime)

    def clear(self, response: Response) -> None:
        self._write(response, '', timedelta(0))

    def _write(self, response: Response, value: str, lifetime: timedelta) -> None:
        # The browser decides what a site is. A frontend on another site needs a cookie with SameSite=None;
        # Partitioned keeps browsers from blocking it as a third-party cookie.
        cross_site = request.headers.get('Sec-Fetch-Site') == 'cross-site'
        response.set_cookie(
            self._name,
            value,
            max_age=lifetime,
            path=_PATH,
            httponly=True,
            secure=self._is_secure or cross_site,
            samesite='None' if cross_site else 'Strict',
            partitioned=cross_site,
        )

    @property
    def _is_secure(self) -> bool:
        # Development has no TLS, and not every browser treats localhost as secure.
        return self.api_origin.startswith('https:')

    @property
    def _name(self) -> str:
        # The prefix prevents unencrypted pages of the host from setting the cookie (RFC 6265bis, 4.1.3.1).
        return '__Secure-refresh_token' if self._is_secure else 'refresh_token'

    def _is_allowed_origin(self, origin: str | None) -> bool:
        return origin is not None and (origin == self.api_origin or origin in self.frontends)
