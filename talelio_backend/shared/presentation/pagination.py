"""Pagination by `?limit=` and `?before=`, with a `Link` to the next page (RFC 8288)."""
from collections.abc import Sequence
from urllib.parse import urlencode

from flask import Response, request
from pydantic import BaseModel, create_model

from talelio_backend.shared.business.pagination import PageRequest
from talelio_backend.shared.presentation.json_responses import model_list_response
from talelio_backend.shared.presentation.requests.query_parameters import LARGEST_ID, Query, whole_number


class PageQuery(Query):
    limit: int
    before: int | None

    @property
    def page(self) -> PageRequest:
        return PageRequest(limit=self.limit, before=self.before)


def page_query(*, maximum: int, by: str = 'id') -> type[PageQuery]:
    """Return the query schema of a list in descending order of the number `by`."""
    return create_model(
        'PageQuery',
        __base__=PageQuery,
        limit=(whole_number(maximum, 'How many at most.'), maximum),
        before=(whole_number(LARGEST_ID, f'Only what has a smaller {by}.'), None),
    )


def page_response(models: Sequence[BaseModel], next_before: int | None) -> Response:
    response = model_list_response(models)
    if next_before is not None:
        query = urlencode({**request.args, 'before': next_before})
        response.headers['Link'] = f'<{request.path}?{query}>; rel="next"'
    return response
