"""How many projects a user has, one row a user. Triggers, which a migration makes, keep the numbers exact.

Why it is done this way: .github/decisions/0023-reading-projects.md.
"""
from sqlalchemy import Column, ForeignKey, Integer, Table, text

from talelio_backend.shared.data.orm import metadata


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text('0'))


count_table = Table(
    'project_counts',
    metadata,
    Column('user_id', ForeignKey('users.id', ondelete='CASCADE'), primary_key=True, autoincrement=False),
    _number('total'),
    _number('drafts'),
    # Also from a time on that lies ahead.
    _number('published'),
)
