"""revisions of projects"""
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = 'a6d13f7e94c8'
down_revision: str | None = 'f2b94d6c8e17'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        'project_revisions', sa.Column('project_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('title', sa.Text(), nullable=False), sa.Column('body', sa.Text(), nullable=False),
        sa.Column('summary', sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(['project_id'], ['projects.id'],
                                name=op.f('fk_project_revisions_project_id_projects'),
                                ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('project_id', 'number', name=op.f('pk_project_revisions'))
    )


def downgrade() -> None:
    op.drop_table('project_revisions')
