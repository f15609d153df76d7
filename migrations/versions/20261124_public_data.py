"""telling of public data"""
from collections.abc import Sequence

from alembic import op

revision: str = 'b3d81f0c56e7'
down_revision: str | None = 'a6d13f7e94c8'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TABLES = ('projects', 'users', 'project_changes')

_FUNCTION = """
CREATE FUNCTION tell_public_data() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY public_data;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    op.execute(_FUNCTION)
    for table in _TABLES:
        op.execute(
            f'CREATE TRIGGER tell_public_data AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} '
            'FOR EACH STATEMENT EXECUTE FUNCTION tell_public_data()'
        )


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f'DROP TRIGGER tell_public_data ON {table}')
    op.execute('DROP FUNCTION tell_public_data()')
