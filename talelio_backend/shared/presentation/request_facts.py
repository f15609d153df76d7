"""What whoever answers a request writes into its environment, for those who count or log it."""
from flask import Flask, has_request_context, request

from talelio_backend.shared.presentation.request_log import request_id

# The route's template, if there is one.
ROUTE = 'talelio.route'
# What the cache of answers had to do with it: hit, miss or bypass.
CACHE = 'talelio.cache'


def add_request_facts(app: Flask) -> None:
    app.before_request(_tell_route)


def _tell_route() -> None:
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule


def sql_tags() -> list[tuple[str, str]]:
    """Which request this thread works on, if it does on one; see `shared.data.sql_comments`."""
    id_ = request_id.get()
    if id_ is None:
        return []
    tags = [('request_id', id_)]
    if has_request_context() and request.url_rule is not None:
        tags.append(('route', request.url_rule.rule))
    return tags
