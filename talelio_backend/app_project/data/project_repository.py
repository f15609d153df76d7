from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import Integer, Text, any_, bindparam, delete, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import make_transient_to_detached

from talelio_backend.app_project.business.domain.errors import SlugTaken
from talelio_backend.app_project.business.domain.project import Project
from talelio_backend.app_project.data.project_table import (
    AUTHOR_EXISTS,
    SLUG_UNIQUE,
    old_slug_table,
    project_table,
)
from talelio_backend.app_user.business.errors import AccountGone
from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.data.compiled_query import CompiledQuery
from talelio_backend.shared.data.repository import SqlAlchemyRepository

# How many old slugs to keep per project.
OLD_SLUGS = 50

# Locks the slugs of a user until the transaction ends, by an advisory lock whose key begins with 'slug'. The
# table is locked first, in the same round trip: a transaction that must wait for the table then does not hold
# the advisory lock in the meantime.
# https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
_LOCK = 'LOCK TABLE projects IN ROW EXCLUSIVE MODE; SELECT pg_advisory_xact_lock(1936487783, %(user_id)s); '

# Core instead of the ORM, whose unit of work takes longer to insert a row than the server does.
_ADD = insert(project_table).returning(project_table.c.id, project_table.c.document)
_ADDED = [field.name for field in fields(Project) if field.init]

_USER, _SLUGS = bindparam('user_id', type_=Integer), bindparam('slugs', type_=ARRAY(Text))
_now, _before = project_table.c, old_slug_table.c
_HOLDERS = CompiledQuery(
    select(_now.slug, _now.id).where(_now.user_id == _USER, _now.slug == any_(_SLUGS)).union_all(
        select(_before.slug,
               _before.project_id).where(_before.user_id == _USER, _before.slug == any_(_SLUGS))
    ),
    preceded_by=_LOCK,
)


class SqlAlchemyProjectRepository(SqlAlchemyRepository[Project]):
    """See `app_project.business.ports.ProjectRepository`."""

    entity = Project
    table = project_table
    # Only the database reads and writes the search vector. A change returns the new document.
    mapping_options = {'exclude_properties': ['search'], 'eager_defaults': True}

    def _errors(self, entity: Project) -> Mapping[str, BusinessError]:
        return {AUTHOR_EXISTS: AccountGone(), SLUG_UNIQUE: SlugTaken(entity.slug)}

    def add(self, entity: Project) -> None:
        values = {name: getattr(entity, name) for name in _ADDED}
        with self._constraint_errors(entity):
            entity.id, entity.document = self._session.execute(_ADD, values).one()
        # Treat the project like one that the session has read.
        make_transient_to_detached(entity)
        self._session.add(entity)

    def get_by_slug(self, user_id: int, slug: str) -> Project | None:
        return self._find(project_table.c.user_id == user_id, project_table.c.slug == slug)

    def lock_slugs(self, user_id: int, slugs: Collection[str]) -> Mapping[str, int]:
        rows = _HOLDERS.rows(self._session.connection(), user_id=user_id, slugs=list(slugs))
        return dict((slug, project_id) for slug, project_id in rows)

    def retire_slug(self, project: Project, now: datetime) -> None:
        old = old_slug_table.c
        values = {
            'user_id': project.user_id,
            'slug': project.slug,
            'project_id': project.id,
            'retired_at': now
        }
        self._session.execute(insert(old_slug_table).values(values))
        forgotten = select(old.slug).where(old.project_id == project.id
                                           ).order_by(old.retired_at.desc(), old.slug).offset(OLD_SLUGS)
        self._session.execute(
            delete(old_slug_table).where(
                old.user_id == project.user_id, old.slug.in_(forgotten), old.project_id == project.id
            )
        )

    def revive_slug(self, user_id: int, slug: str) -> None:
        self._session.execute(
            delete(old_slug_table).where(old_slug_table.c.user_id == user_id, old_slug_table.c.slug == slug)
        )

    def ids_rendered_before(self, rendering: int, after: int, limit: int) -> Sequence[int]:
        columns = project_table.c
        query = select(columns.id).where(columns.rendering < rendering, columns.id > after)
        return self._session.scalars(query.order_by(columns.id).limit(limit)).all()
