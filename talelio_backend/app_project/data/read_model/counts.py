"""The number of projects per user. Triggers keep the numbers exact; a migration creates them.

See .github/decisions/0023-reading-projects.md.
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
    # Includes scheduled ones.
    _number('published'),
)
