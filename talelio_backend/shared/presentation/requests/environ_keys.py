"""What whoever answers a request writes into its environment, for those who count or log it."""
from flask import Flask, request

# The route's template, if there is one.
ROUTE = 'talelio.route'
# What the cache of answers had to do with it: hit, miss or bypass.
CACHE = 'talelio.cache'
# The id of the account whose token it showed, if the token is good.
ACCOUNT = 'talelio.account'


def add_environ_keys(app: Flask) -> None:
    app.before_request(_tell_route)


def _tell_route() -> None:
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule
