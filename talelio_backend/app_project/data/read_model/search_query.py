"""Full-text search. https://www.postgresql.org/docs/current/textsearch-controls.html"""
from sqlalchemy import BindParameter, ColumnElement, Float, cast, func, literal_column
from sqlalchemy.dialects.postgresql import TSQUERY

from talelio_backend.app_project.business.domain.search import Terms, matches_prefix, to_lexemes
from talelio_backend.app_project.data.project_table import SEARCHED, project_table


def to_query_text(terms: Terms) -> str:
    """Return the terms in the syntax of `to_tsquery`."""
    # The lexemes contain no punctuation, so the quotes are safe.
    words = []
    for word in terms.words:
        phrase = ' <-> '.join(f"'{lexeme}'" for lexeme in to_lexemes(word))
        words.append(phrase + (':*' if matches_prefix(word) else ''))
    return ' & '.join(f'({word})' for word in words)


def owner_term(user_id: int) -> str:
    """Return a term that matches only the user's own projects, see `project_table.SEARCHED`."""
    return f"'@{user_id}'"


def matches(query: ColumnElement[str], owner: BindParameter[str]) -> ColumnElement[bool]:
    return SEARCHED.bool_op('@@')(query.op('&&')(cast(owner, TSQUERY)))


def to_tsquery(words: BindParameter[str]) -> ColumnElement[str]:
    return func.to_tsquery(literal_column("'simple'"), words)


def relevance(query: ColumnElement[str]) -> ColumnElement[float]:
    # Double precision survives the round trip through a cursor.
    return cast(func.ts_rank(project_table.c.search, query), Float(53))
