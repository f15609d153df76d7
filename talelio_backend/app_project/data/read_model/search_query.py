"""Full-text search: the column that is made of a project's texts, and queries of it.

https://www.postgresql.org/docs/current/textsearch-controls.html
"""
from sqlalchemy import BindParameter, ColumnElement, Float, cast, func, literal_column
from sqlalchemy.dialects.postgresql import TSQUERY

from talelio_backend.app_project.business.domain.search import Terms, takes_longer_words
from talelio_backend.app_project.data.project_table import SEARCHED, project_table


def written(terms: Terms) -> str:
    """As `to_tsquery` reads it."""
    # All punctuation is gone from the pieces, so that nothing in them can end the quotes.
    words = []
    for word in terms.words:
        phrase = ' <-> '.join(f"'{piece}'" for piece in word)
        words.append(phrase + (':*' if takes_longer_words(word) else ''))
    return ' & '.join(f'({word})' for word in words)


def mark(user_id: int) -> str:
    """As a query of text search: what is found in a user's own projects, see `project_table.SEARCHED`."""
    return f"'@{user_id}'"


def is_found(query: ColumnElement[str], mark_: BindParameter[str]) -> ColumnElement[bool]:
    return SEARCHED.bool_op('@@')(query.op('&&')(cast(mark_, TSQUERY)))


def to_tsquery(words: BindParameter[str]) -> ColumnElement[str]:
    return func.to_tsquery(literal_column("'simple'"), words)


def relevance(query: ColumnElement[str]) -> ColumnElement[float]:
    # In a precision in which a cursor brings it back as it was.
    return cast(func.ts_rank(project_table.c.search, query), Float(53))
