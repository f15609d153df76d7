from sqlalchemy import (
    Column,
    FetchedValue,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

from talelio_backend.app_project.business.domain.project import ProjectStatus
from talelio_backend.shared.data.change_notifications import mark_public
from talelio_backend.shared.data.orm import INSTANT, metadata, text_enum

AUTHOR_EXISTS = 'fk_projects_user_id_users'
SLUG_UNIQUE = 'uq_projects_user_id_slug'

project_table = Table(
    'projects',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column('user_id', ForeignKey('users.id', name=AUTHOR_EXISTS, ondelete='CASCADE'), nullable=False),
    Column('created_at', INSTANT, nullable=False),
    Column('updated_at', INSTANT),
    Column('title', Text, nullable=False),
    # The defaults serve the previous release, which does not know these columns.
    Column('slug', Text, server_default=text("('project-'::text || gen_random_uuid())")),
    Column('body', Text, nullable=False),
    Column('summary', Text, key='given_summary'),
    Column('status', text_enum(ProjectStatus, 20), nullable=False, server_default='published'),
    Column('published_at', INSTANT, server_default=text('now()')),
    Column('tags', ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column('cover_image', Text),
    Column('position', Integer, nullable=False, server_default=text('0')),
    Column('html', Text, nullable=False),
    Column('excerpt', Text),
    Column('toc', JSONB),
    Column('words', Integer),
    Column('rendering', Integer, nullable=False, server_default=text('0')),
    # A trigger writes it, in `app_project.presentation.schemas.ProjectAnswer`'s order.
    Column('document', Text, FetchedValue(), server_onupdate=FetchedValue()),
    # A trigger makes it. The title ranks highest, then the tags, the summary and the body.
    Column('search', TSVECTOR),
    Index(None, 'user_id', 'id'),
    Index(SLUG_UNIQUE, 'user_id', 'slug', unique=True),
)

# Every order of the lists has an index, so that reading a page does not sort.
LOWER_TITLE = func.lower(project_table.c.title)
# pylint: disable=assignment-from-no-return
PUBLISHED_OR_CREATED_AT = func.coalesce(project_table.c.published_at, project_table.c.created_at)
UPDATED_OR_CREATED_AT = func.coalesce(project_table.c.updated_at, project_table.c.created_at)
# pylint: enable=assignment-from-no-return
Index('ix_projects_title', project_table.c.user_id, LOWER_TITLE, project_table.c.id)
Index('ix_projects_position', project_table.c.user_id, project_table.c.position, project_table.c.id)
Index('ix_projects_published_at', project_table.c.user_id, PUBLISHED_OR_CREATED_AT, project_table.c.id)
Index('ix_projects_updated_at', project_table.c.user_id, UPDATED_OR_CREATED_AT, project_table.c.id)
# For the public projects of all users, such as in the sitemap.
Index(
    'ix_projects_published',
    project_table.c.published_at,
    project_table.c.id,
    postgresql_where=text("status = 'published'")
)
# The user's id is indexed as one more word, which no text contains. A search then skips the other users.
SEARCHED = project_table.c.search.op('||')(
    literal_column("array_to_tsvector(ARRAY['@'::text || user_id::text])", TSVECTOR)
)
Index('ix_projects_search', SEARCHED, postgresql_using='gin')
Index('ix_projects_tags', project_table.c.tags, postgresql_using='gin')
mark_public(project_table)

# URLs name a user and a slug, so the key has the user's id.
old_slug_table = Table(
    'old_slugs',
    metadata,
    Column('user_id', ForeignKey('users.id', ondelete='CASCADE'), nullable=False),
    Column('slug', Text, nullable=False),
    Column('project_id', ForeignKey('projects.id', ondelete='CASCADE'), nullable=False, index=True),
    Column('retired_at', INSTANT, nullable=False),
    PrimaryKeyConstraint('user_id', 'slug'),
)
