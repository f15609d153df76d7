from sqlalchemy import (
    ARRAY,
    Column,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from talelio_backend.app_project.business.project import Project, ProjectStatus
from talelio_backend.shared.data.orm import INSTANT, mapper_registry, metadata

AUTHOR_EXISTS = 'fk_projects_user_id_users'
SLUG_UNIQUE = 'uq_projects_user_id_slug'

# Plain text in the database, so that a new status needs no migration of a PostgreSQL type.
_STATUS = Enum(
    ProjectStatus,
    native_enum=False,
    length=20,
    values_callable=lambda statuses: [status.value for status in statuses]
)

project_table = Table(
    'projects',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column('user_id', ForeignKey('users.id', name=AUTHOR_EXISTS, ondelete='CASCADE'), nullable=False),
    Column('created_at', INSTANT, nullable=False),
    Column('updated_at', INSTANT),
    Column('title', Text, nullable=False),
    # The defaults are for the release before, which does not know these columns.
    Column('slug', Text, server_default=text("('project-'::text || gen_random_uuid())")),
    Column('body', Text, nullable=False),
    Column('summary', Text, key='given_summary'),
    Column('status', _STATUS, nullable=False, server_default='published'),
    Column('published_at', INSTANT, server_default=text('now()')),
    Column('tags', ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column('cover_image', Text),
    Column('position', Integer, nullable=False, server_default=text('0')),
    Column('html', Text, nullable=False),
    Column('excerpt', Text),
    Column('toc', JSONB),
    Column('words', Integer),
    Column('rendering', Integer, nullable=False, server_default=text('0')),
    # The order of the list, so that any page of it is read straight off the index.
    Index(None, 'user_id', 'id'),
    Index(SLUG_UNIQUE, 'user_id', 'slug', unique=True),
)

# What projects were called before. A user's own id is here too, as an address names a user and a slug.
old_slug_table = Table(
    'old_slugs',
    metadata,
    Column('user_id', ForeignKey('users.id', ondelete='CASCADE'), nullable=False),
    Column('slug', Text, nullable=False),
    Column('project_id', ForeignKey('projects.id', ondelete='CASCADE'), nullable=False, index=True),
    Column('retired_at', INSTANT, nullable=False),
    PrimaryKeyConstraint('user_id', 'slug'),
)


def map_project() -> None:
    mapper_registry.map_imperatively(Project, project_table)
