import pytest
from hypothesis import given
from hypothesis import strategies as st

from talelio_backend.shared.data.query_comments import comment_of


@pytest.mark.parametrize(
    ('tags', 'comment'),
    [
        ([], ''),
        ([('request_id', 'abc-1._')], "/*request_id='abc-1._'*/ "),
        (
            [('request_id', '12345678'), ('route', '/v1/users/<username>')],
            "/*request_id='12345678',route='%%2Fv1%%2Fusers%%2F%%3Cusername%%3E'*/ ",
        ),
        ([('request_id', "*/ DROP TABLE users; --'")], None),
    ],
)
def test_a_comment_has_the_sqlcommenter_format(tags: list[tuple[str, str]], comment: str | None) -> None:
    made = comment_of(tags)

    assert made == comment if comment is not None else made.count("'") == 2


@given(st.text())
def test_values_cannot_break_out_of_the_comment_or_add_parameters(value: str) -> None:
    try:
        made = comment_of([('route', value)])
    except UnicodeEncodeError:
        # A lone surrogate, which no path can hold.
        return

    inside = made.removeprefix("/*route='").removesuffix("'*/ ")
    assert not set(inside) & set('\'"*/\\;\n\0') and inside.isascii()
    assert '%' not in inside.replace('%%', '')
