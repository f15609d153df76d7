"""Lists in pages: `?limit=` and `?before=` come in, a `Link` to the next page goes out (RFC 8288)."""
from collections.abc import Sequence
from functools import cache
from urllib.parse import urlencode

from flask import Response, request
from pydantic import BaseModel, Field, create_model

from talelio_backend.shared.business.page import PageRequest
from talelio_backend.shared.presentation.answers import answer_list
from talelio_backend.shared.presentation.request_errors import InvalidQuery

# PostgreSQL's integer, the type of an id.
_LARGEST_ID = 2**31 - 1


@cache
def page_query(*, maximum: int) -> type[BaseModel]:
    """What `read_page_request` reads, for a view's description."""
    return create_model(
        'PageQuery',
        limit=(int, Field(maximum, ge=1, le=maximum, description='How many at most.', examples=[20])),
        before=(
            int | None,
            Field(None, ge=1, le=_LARGEST_ID, description='Only what has a smaller id.', examples=[7]),
        ),
    )


def read_page_request(*, maximum: int) -> PageRequest:
    """Raises Invalid."""
    limit = _whole_number('limit', maximum)
    return PageRequest(limit=maximum if limit is None else limit, before=_whole_number('before', _LARGEST_ID))


def answer_page(models: Sequence[BaseModel], next_before: int | None) -> Response:
    response = answer_list(models)
    if next_before is not None:
        query = urlencode({**request.args, 'before': next_before})
        response.headers['Link'] = f'<{request.path}?{query}>; rel="next"'
    return response


def _whole_number(name: str, largest: int) -> int | None:
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 1 <= int(text) <= largest):
        raise InvalidQuery.about(name, f'must be a whole number from 1 to {largest}')
    return int(text)
