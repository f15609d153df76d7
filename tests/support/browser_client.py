"""A client that keeps cookies and says where its page is from, as a browser does."""
from typing import Any

import requests

from tests.support.served_api import TIMEOUT, ServedApi

FRONTEND = 'http://localhost:3000'
COOKIE = 'refresh_token'


class BrowserClient:

    def __init__(self, api: ServedApi, *, origin: str | None = FRONTEND, user_agent: str = 'Tests/1') -> None:
        self._api = api
        self.session = requests.Session()
        self.session.headers['User-Agent'] = user_agent
        if origin is not None:
            self.session.headers['Origin'] = origin

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self._api.url + path, **{'timeout': TIMEOUT} | options)

    def post(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        return self.request('POST', path, json=json, **options)

    @property
    def refresh_token(self) -> str | None:
        token: str | None = self.session.cookies.get(COOKIE)
        return token

    @refresh_token.setter
    def refresh_token(self, token: str) -> None:
        cookie, = (each for each in self.session.cookies if each.name == COOKIE)
        cookie.value = token
