from datetime import datetime

from talelio_backend.app_project.business.domain.revision import Revision, RevisionEntry
from talelio_backend.shared.business.pagination import Page, PageRequest
from tests.fakes.repository import FakeRepository


class FakeRevisionRepository(FakeRepository[Revision]):

    table = 'revisions'

    def next_number(self, project_id: int) -> int:
        return max((revision.number for revision in self._newest_first(project_id)), default=0) + 1

    def add(self, entity: Revision) -> None:
        self._rows[entity.project_id, entity.number] = entity

    def page_of_project(self, project_id: int, page: PageRequest) -> Page[RevisionEntry]:
        found = [
            RevisionEntry(
                number=revision.number,
                created_at=revision.created_at,
                title=revision.title,
                size=len(revision.body.encode()),
            ) for revision in self._newest_first(project_id)
            if page.before is None or revision.number < page.before
        ]
        items = found[:page.limit]
        return Page(items=items, next_before=items[-1].number if len(found) > page.limit else None)

    def prune(self, project_id: int, *, keep: int, always_keep: int, older_than: datetime) -> None:
        for place, revision in enumerate(self._newest_first(project_id)):
            if place >= keep or place >= always_keep and revision.created_at < older_than:
                del self._rows[project_id, revision.number]

    def _newest_first(self, project_id: int) -> list[Revision]:
        own = [each for each in self._rows.values() if each.project_id == project_id]
        return sorted(own, key=lambda revision: -revision.number)
