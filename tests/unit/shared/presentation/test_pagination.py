import pytest
from flask import Flask
from pydantic import BaseModel

from talelio_backend.shared.business.errors import Invalid
from talelio_backend.shared.business.pagination import PageRequest
from talelio_backend.shared.presentation.pagination import page_query, page_response
from talelio_backend.shared.presentation.requests.query_parameters import read_query

APP = Flask(__name__)
ITEMS = page_query(maximum=100)


class Item(BaseModel):
    id: int


def read(query: str) -> PageRequest:
    with APP.test_request_context(f'/items?{query}'):
        return read_query(ITEMS).page


@pytest.mark.parametrize(
    ('query', 'page'),
    [
        ('', PageRequest(limit=100)),
        ('limit=1', PageRequest(limit=1)),
        ('limit=100&before=7', PageRequest(limit=100, before=7)),
    ],
)
def test_a_page_request_is_read_from_the_query(query: str, page: PageRequest) -> None:
    assert read(query) == page


@pytest.mark.parametrize('name', ['limit', 'before'])
@pytest.mark.parametrize('value', ['', '0', '-1', '1.5', 'x', '٣', '1e3', '9' * 11, '9' * 5000, '+1'])
def test_an_invalid_number_is_named(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=f"'{name}' must be a whole number from 1 to "):
        read(f'{name}={value}')


def test_a_page_links_to_the_next_one() -> None:
    with APP.test_request_context('/items?limit=2'):
        response = page_response([Item(id=9), Item(id=8)], next_before=8)

    assert response.json == [{'id': 9}, {'id': 8}]
    assert response.headers['Link'] == '</items?limit=2&before=8>; rel="next"'


def test_the_last_page_has_no_link() -> None:
    with APP.test_request_context('/items'):
        response = page_response([], next_before=None)

    assert response.json == []
    assert 'Link' not in response.headers
