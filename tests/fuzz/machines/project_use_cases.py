from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from talelio_backend.app_project.business.domain.list_query import ListQuery
from talelio_backend.app_project.business.domain.project import ProjectStatus, ProjectView
from talelio_backend.app_project.business.domain.project_patch import ProjectPatch
from talelio_backend.app_project.business.domain.search import parse_terms
from talelio_backend.app_project.business.domain.visibility import VisibilityFilter
from talelio_backend.app_project.business.use_cases import publishing, reading, revisions
from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.business.pagination import PageRequest
from tests.fakes.ports import FakeRenderer
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.fuzz.machines.project_machine import OWNERS
from tests.fuzz.machines.project_model import FUTURE, PAST, Fields, View
from tests.support.project_documents import content_of
from tests.support.samples import new_account

_TIMES = {None: None, PAST: datetime(2020, 1, 1, tzinfo=UTC), FUTURE: datetime(2999, 1, 1, tzinfo=UTC)}


class ProjectUseCases:
    """The use cases on fakes, a second between two of them."""

    def __init__(self) -> None:
        self._uow = FakeUnitOfWork()
        self._now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        self._people: dict[str | None, Identity | None] = {None: None}
        for name in OWNERS:
            account = new_account(name)
            with self._uow:
                self._uow.accounts.add(account)
                self._uow.commit()
            self._people[name] = Identity(account.id)

    def publish(self, who: str, fields: Fields) -> View | str:
        return self._view(
            lambda: publishing.publish(
                self._uow,
                FakeRenderer(),
                lambda url: False,
                self._owner(who),
                _given(fields),
                now=self._later()
            )
        )

    def change(self, who: str, project_id: int, fields: Fields) -> View | str:
        return self._view(
            lambda: publishing.change(
                self._uow,
                FakeRenderer(),
                lambda url: False,
                self._owner(who),
                project_id,
                _given(fields),
                now=self._later()
            )
        )

    def restore(self, who: str, project_id: int, number: int) -> View | str:
        return self._view(
            lambda: revisions.restore(
                self._uow,
                FakeRenderer(),
                lambda url: False,
                self._owner(who),
                project_id,
                number,
                now=self._later()
            )
        )

    def delete(self, who: str, project_id: int) -> str | None:
        try:
            publishing.delete(self._uow, self._owner(who), project_id, now=self._later())
        except BusinessError as error:
            return error.message
        return None

    def show(self, reader: str | None, project_id: int) -> View | str:
        return self._view(lambda: reading.show(self._uow, self._people[reader], project_id, self._now))

    def by_slug(self, reader: str | None, owner: str, slug: str) -> View | str:
        return self._view(
            lambda: reading.show_by_slug(self._uow, self._people[reader], owner, slug, self._now)
        )

    def listing(self, reader: str | None, owner: str, status: str, word: str | None) -> list[View]:
        listing = ListQuery(terms=None if word is None else parse_terms(word))
        listed = reading.list_of_user(
            self._uow,
            self._people[reader],
            owner,
            listing,
            visibility=VisibilityFilter(status),
            now=self._now
        )
        return [_view(project, self._now) for project in listed.items]

    def revisions(self, who: str, project_id: int) -> list[tuple[int, str]] | str:
        try:
            page = revisions.list_own(
                self._uow, self._owner(who), project_id, PageRequest(limit=100), self._now
            )
        except BusinessError as error:
            return error.message
        return [(entry.number, entry.title) for entry in page.items]

    def _later(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def _owner(self, who: str) -> Identity:
        owner = self._people[who]
        assert owner is not None
        return owner

    def _view(self, use_case: Callable[[], ProjectView]) -> View | str:
        try:
            return _view(use_case(), self._now)
        except BusinessError as error:
            return error.message


def _given(fields: Fields) -> ProjectPatch:
    values: dict[str, Any] = dict(fields)
    if 'published_at' in values:
        values['published_at'] = _TIMES[values['published_at']]
    if 'status' in values:
        values['status'] = ProjectStatus(values['status'])
    return ProjectPatch(**values)


def _view(project: ProjectView, now: datetime) -> View:
    published = project.published_at
    content = content_of(project)
    return {
        'id': project.id,
        'title': content['title'],
        'body': content['body'],
        'summary': content['summary'],
        'slug': project.slug,
        'status': project.status.value,
        'published': None if published is None else PAST if published <= now else FUTURE,
        'tags': content['tags'],
        'position': content['position'],
        'changed': project.updated_at is not None,
    }
