from flask import has_request_context, request

from talelio_backend.shared.presentation.requests.access_log import request_id


def sql_tags() -> list[tuple[str, str]]:
    """Identify the current request, if any; see `shared.data.query_comments`."""
    id_ = request_id.get()
    if id_ is None:
        return []
    tags = [('request_id', id_)]
    if has_request_context() and request.url_rule is not None:
        tags.append(('route', request.url_rule.rule))
    return tags
