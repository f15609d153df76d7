"""Keys of the WSGI environ that pass facts about a request to logs, metrics and traces."""
from flask import Flask, request

# The template of the matched route.
ROUTE = 'talelio.route'
# The response cache's result: hit, miss or bypass.
CACHE = 'talelio.cache'
# The id of the authenticated account.
ACCOUNT = 'talelio.account'


def add_environ_keys(app: Flask) -> None:
    app.before_request(_set_route)


def _set_route() -> None:
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule
