from typing import Any

from talelio_backend.app_project.business.domain.list_query import ListQuery, ResultPage, Sort
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus, ProjectView
from talelio_backend.app_project.business.domain.visibility import Selection, VisibilityFilter
from talelio_backend.app_project.data.read_model.list_query import with_cursors
from tests.fakes.store import Store


class FakeProjectViews:

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, project_id: int) -> ProjectView | None:
        return self._store.projects.get(project_id)

    def get_by_slug(self, user_id: int, slug: str) -> ProjectView | None:
        return next((project for project in self._of(user_id) if project.slug == slug), None)

    def get_by_old_slug(self, user_id: int, slug: str) -> ProjectView | None:
        old = self._store.old_slugs.get((user_id, slug))
        return None if old is None else self._store.projects[old.project_id]

    def list_of_user(self, user_id: int, list_query: ListQuery, selection: Selection) -> ResultPage:
        rows = [(_sort_value(project, list_query), project.id, project) for project in self._of(user_id)
                if is_selected(project, selection) and _is_listed(project, list_query)]
        down = list_query.sort in (Sort.NEWEST, Sort.PUBLISHED_AT, Sort.UPDATED_AT, Sort.RELEVANCE)
        backwards = list_query.cursor is not None and list_query.cursor.backwards
        rows.sort(key=lambda row: row[:2], reverse=down != backwards)
        total = len(rows)
        if list_query.cursor is not None:
            place = (list_query.cursor.value, list_query.cursor.id)
            rows = [row for row in rows if (row[:2] < place if down != backwards else row[:2] > place)]
        page: list[tuple[ProjectView,
                         Any]] = [(project, value) for value, _, project in rows[:list_query.limit]]
        return with_cursors(page, list_query.cursor, more=len(rows) > list_query.limit, total=total)

    def list_by_username(
        self, username: str, list_query: ListQuery, selection: Selection
    ) -> ResultPage | None:
        users = [account.user for account in self._store.accounts.values()]
        user = next((user for user in users if user.username.lower() == username.lower()), None)
        narrowing = (list_query.cursor, list_query.tag, list_query.terms)
        if user is None or any(each is not None for each in narrowing):
            return None
        listed = self.list_of_user(user.id, list_query, selection)
        return listed if listed.items else None

    def _of(self, user_id: int) -> list[Project]:
        return [project for project in self._store.projects.values() if project.user_id == user_id]


def is_selected(project: Project, selection: Selection) -> bool:
    if selection.visibility is VisibilityFilter.DRAFT:
        return project.status is ProjectStatus.DRAFT
    if selection.visibility is VisibilityFilter.SCHEDULED:
        return project.status is ProjectStatus.PUBLISHED and not project.is_public(selection.now)
    return selection.visibility is VisibilityFilter.ALL or project.is_public(selection.now)


def _is_listed(project: Project, list_query: ListQuery) -> bool:
    text = ' '.join([project.title, *project.tags, project.summary, project.body])
    return (list_query.tag is None
            or list_query.tag in project.tags) and (list_query.terms is None or list_query.terms.match(text))


def _sort_value(project: Project, list_query: ListQuery) -> Any:
    if list_query.sort is Sort.TITLE:
        return project.title.lower()
    if list_query.sort is Sort.POSITION:
        return project.position
    if list_query.sort is Sort.PUBLISHED_AT:
        return project.published_at or project.created_at
    if list_query.sort is Sort.UPDATED_AT:
        return project.updated_at or project.created_at
    if list_query.sort is Sort.RELEVANCE:
        # As far as it goes that the title counts most.
        return float(list_query.terms is not None and list_query.terms.match(project.title))
    return project.id
