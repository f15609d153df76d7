from datetime import datetime

from talelio_backend.app_feed.business.ports import Page
from talelio_backend.app_project.business.domain.project import Project
from tests.fakes.store import Store


class FakePublicProjects:

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self, user_id: int, now: datetime, limit: int) -> list[Project]:
        return self._public(user_id, now)[:limit]

    def pages(self, user_id: int | None, now: datetime, limit: int) -> list[Page]:
        usernames = {account.user.id: account.user.username for account in self._store.accounts.values()}
        return [
            Page(
                username=usernames[project.user_id],
                project_id=project.id,
                slug=project.slug,
                changed_at=max(_published_at(project), project.updated_at or _published_at(project)),
            ) for project in self._public(user_id, now)[:limit]
        ]

    def _public(self, user_id: int | None, now: datetime) -> list[Project]:
        public = [
            project for project in self._store.projects.values()
            if user_id in (None, project.user_id) and project.is_public(now)
        ]
        return sorted(public, key=lambda project: (_published_at(project), project.id), reverse=True)


def _published_at(project: Project) -> datetime:
    return project.published_at or project.created_at
