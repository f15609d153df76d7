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

    def list_of_user(self, user_id: int, listing: ListQuery, selection: Selection) -> ResultPage:
        rows = [(_sort_value(project, listing), project.id, project) for project in self._of(user_id)
                if is_selected(project, selection) and _is_listed(project, listing)]
        down = listing.sort in (Sort.NEWEST, Sort.PUBLISHED_AT, Sort.UPDATED_AT, Sort.RELEVANCE)
        backwards = listing.cursor is not None and listing.cursor.backwards
        rows.sort(key=lambda row: row[:2], reverse=down != backwards)
        total = len(rows)
        if listing.cursor is not None:
            place = (listing.cursor.value, listing.cursor.id)
            rows = [row for row in rows if (row[:2] < place if down != backwards else row[:2] > place)]
        page: list[tuple[ProjectView, Any]] = [(project, value) for value, _, project in rows[:listing.limit]]
        return with_cursors(page, listing.cursor, more=len(rows) > listing.limit, total=total)

    def list_at_once(self, username: str, listing: ListQuery, selection: Selection) -> ResultPage | None:
        users = [account.user for account in self._store.accounts.values()]
        user = next((user for user in users if user.username.lower() == username.lower()), None)
        if user is None or listing.cursor is not None or listing.tag is not None or listing.terms is not None:
            return None
        listed = self.list_of_user(user.id, listing, selection)
        return listed if listed.items else None

    def _of(self, user_id: int) -> list[Project]:
        return [project for project in self._store.projects.values() if project.user_id == user_id]


def is_selected(project: Project, selection: Selection) -> bool:
    if selection.showing is VisibilityFilter.DRAFT:
        return project.status is ProjectStatus.DRAFT
    if selection.showing is VisibilityFilter.SCHEDULED:
        return project.status is ProjectStatus.PUBLISHED and not project.is_public(selection.now)
    return selection.showing is VisibilityFilter.ALL or project.is_public(selection.now)


def _is_listed(project: Project, listing: ListQuery) -> bool:
    text = ' '.join([project.title, *project.tags, project.summary, project.body])
    return (listing.tag is None
            or listing.tag in project.tags) and (listing.terms is None or listing.terms.are_in(text))


def _sort_value(project: Project, listing: ListQuery) -> Any:
    if listing.sort is Sort.TITLE:
        return project.title.lower()
    if listing.sort is Sort.POSITION:
        return project.position
    if listing.sort is Sort.PUBLISHED_AT:
        return project.published_at or project.created_at
    if listing.sort is Sort.UPDATED_AT:
        return project.updated_at or project.created_at
    if listing.sort is Sort.RELEVANCE:
        # As far as it goes that the title counts most.
        return float(listing.terms is not None and listing.terms.are_in(project.title))
    return project.id
