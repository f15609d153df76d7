from enum import Enum

import pytest
from flask import Flask

from talelio_backend.shared.business.errors import Invalid
from talelio_backend.shared.presentation.requests.query_parameters import Query, read_query, whole_number

APP = Flask(__name__)


class Colour(Enum):
    RED = 'red'
    BLUE = 'blue'


class ItemQuery(Query):
    limit: whole_number(100, 'How many.') = 100  # type: ignore[valid-type]
    colour: Colour | None = None


def read(query: str, schema: type[Query] = ItemQuery) -> Query:
    with APP.test_request_context(f'/items?{query}'):
        return read_query(schema)


def test_an_absent_parameter_has_its_default() -> None:
    assert read('') == ItemQuery()
    assert read('limit=7&colour=blue') == ItemQuery(limit=7, colour=Colour.BLUE)


@pytest.mark.parametrize(
    ('query', 'message'),
    [
        ('x=1', "Unknown parameter 'x'; this path takes 'limit', 'colour'"),
        ('y=1&limit=0&x', "Unknown parameters 'y', 'x'; this path takes 'limit', 'colour'"),
        ('=1', "Unknown parameter ''; this path takes 'limit', 'colour'"),
        ('limit=1&limit=2', "'limit' must be given once"),
        ('colour=green', "'colour' must be 'red' or 'blue'"),
        ('colour=', "'colour' must be 'red' or 'blue'"),
        ('colour=%ff', "'colour' must be 'red' or 'blue'"),
    ],
)
def test_a_fault_is_named(query: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(query)
    assert caught.value.message == message


@pytest.mark.parametrize(
    'value', ['', '0', '-1', '1.5', 'x', '٣', '1e3', '9' * 11, '9' * 5000, '%201', '101']
)
def test_an_error_about_a_number_names_the_range(value: str) -> None:
    with pytest.raises(Invalid, match="'limit' must be a whole number from 1 to 100"):
        read(f'limit={value}')


def test_a_path_may_have_no_parameters() -> None:
    with pytest.raises(Invalid, match="Unknown parameter 'limit'; this path takes none"):
        read('limit=1', Query)
