from collections.abc import Collection
from datetime import datetime

from talelio_backend.app_project.business.domain.errors import SlugTaken
from talelio_backend.app_project.business.domain.project import Project
from talelio_backend.app_project.data.project_repository import OLD_SLUGS
from talelio_backend.app_user.business.errors import AccountGone
from tests.fakes.repository import FakeRepository
from tests.fakes.store import OldSlug
from tests.support.project_documents import document_of


class FakeProjectRepository(FakeRepository[Project]):

    table = 'projects'

    def add(self, entity: Project) -> None:
        if entity.user_id not in {account.user.id for account in self._store.accounts.values()}:
            raise AccountGone()
        self._check_slug(entity)
        super().add(entity)
        entity.document = document_of(entity)

    def save(self, entity: Project) -> None:
        self._check_slug(entity)
        entity.document = document_of(entity)

    def _check_slug(self, project: Project) -> None:
        if any(other is not project and other.slug == project.slug for other in self._of(project.user_id)):
            raise SlugTaken(project.slug)

    def delete(self, entity: Project) -> None:
        super().delete(entity)
        self._store.forget_revisions(entity.id)
        for key, old in list(self._store.old_slugs.items()):
            if old.project_id == entity.id:
                del self._store.old_slugs[key]

    def get_by_slug(self, user_id: int, slug: str) -> Project | None:
        return next((project for project in self._of(user_id) if project.slug == slug), None)

    def lock_slugs(self, user_id: int, slugs: Collection[str]) -> dict[str, int]:
        # One thread at a time uses the fakes.
        old = {
            slug: old.project_id
            for (owner, slug), old in self._store.old_slugs.items() if owner == user_id
        }
        now = {project.slug: project.id for project in self._of(user_id)}
        return {slug: project_id for slug, project_id in (old | now).items() if slug in slugs}

    def retire_slug(self, project: Project, now: datetime) -> None:
        old_slugs = self._store.old_slugs
        old_slugs[project.user_id, project.slug] = OldSlug(project_id=project.id, retired_at=now)
        own = [(old.retired_at, key) for key, old in old_slugs.items() if old.project_id == project.id]
        for _, key in sorted(own)[:-OLD_SLUGS]:
            del old_slugs[key]

    def revive_slug(self, user_id: int, slug: str) -> None:
        self._store.old_slugs.pop((user_id, slug), None)

    def ids_rendered_before(self, rendering: int, after: int, limit: int) -> list[int]:
        projects = self._rows
        return [id_ for id_ in sorted(projects)
                if id_ > after and projects[id_].rendering < rendering][:limit]

    def _of(self, user_id: int) -> list[Project]:
        return [project for project in self._rows.values() if project.user_id == user_id]
