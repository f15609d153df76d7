"""search of projects

A column that the server makes has to be made for all rows at once, and nobody uses the table meanwhile.
"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = 'e7c31a9d5b20'
down_revision: str | None = 'e2a94c07b851'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_SEPARATORS = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~\u00a0«»·¡¿‐‑‒–—―‘’‚“”„†•…‹›、。「」『』，．：；！？（）'


def upgrade() -> None:
    op.add_column(
        'projects', sa.Column('search', postgresql.TSVECTOR(), sa.Computed(_search(), persisted=True))
    )


def downgrade() -> None:
    op.drop_column('projects', 'search')


def _search() -> str:
    return (
        f"setweight({_words('title')}, 'A') || setweight(array_to_tsvector(tags), 'B') || "
        f"setweight({_words(_SUMMARY)}, 'C') || setweight({_words('body')}, 'D')"
    )


_SUMMARY = "coalesce(summary, excerpt, '')"


def _words(column: str) -> str:
    text = f'lower({column})'
    for pattern, letters in ((r'(?<=[a-z0-9])\+\+', 'zpzp'), (r'(?<=[a-z0-9])#(?![a-z0-9])', 'zs')):
        text = f"regexp_replace({text}, '{pattern}', '{letters}', 'g')"
    separators = _SEPARATORS.replace("'", "''")
    return f"to_tsvector('simple', translate({text}, '{separators}', '{' ' * len(_SEPARATORS)}'))"
