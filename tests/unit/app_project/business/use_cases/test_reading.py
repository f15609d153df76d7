from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from talelio_backend.app_project.business.domain.errors import ProjectNotFound
from talelio_backend.app_project.business.domain.list_query import ListQuery
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus
from talelio_backend.app_project.business.domain.project_patch import ProjectPatch
from talelio_backend.app_project.business.domain.visibility import VisibilityFilter
from talelio_backend.app_project.business.use_cases import publishing, reading
from talelio_backend.app_user.business.errors import AccountGone, UserNotFound
from talelio_backend.shared.business.identity import Identity
from tests.fakes.ports import FakeRenderer
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.support.project_documents import content_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
PAGE = ListQuery(limit=10)


def publish(uow: FakeUnitOfWork, author: Identity, title: str = 'Title', **values: Any) -> Project:
    values = {'title': title, 'body': 'x', **values}
    return publishing.publish(uow, FakeRenderer(), lambda _: False, author, ProjectPatch(**values), now=NOW)


@pytest.fixture(name='public')
def fixture_public(uow: FakeUnitOfWork, author: Identity) -> Project:
    return publish(uow, author, 'public')


@pytest.fixture(name='hidden', params=['draft', 'scheduled'])
def fixture_hidden(uow: FakeUnitOfWork, author: Identity, request: pytest.FixtureRequest) -> Project:
    if request.param == 'draft':
        return publish(uow, author, 'hidden', status=ProjectStatus.DRAFT)
    return publish(uow, author, 'hidden', published_at=LATER)


def test_everybody_sees_public_projects(
    uow: FakeUnitOfWork, author: Identity, other: Identity, public: Project
) -> None:
    for reader in (None, author, other):
        assert reading.show(uow, reader, public.id, NOW).id == public.id
        assert reading.show_by_slug(uow, reader, 'MAKER', 'public', NOW).id == public.id


def test_only_the_owner_sees_non_public_projects(
    uow: FakeUnitOfWork, author: Identity, other: Identity, hidden: Project
) -> None:
    assert reading.show(uow, author, hidden.id, NOW).id == hidden.id
    assert reading.show_by_slug(uow, author, 'maker', 'hidden', NOW).id == hidden.id
    for reader in (None, other):
        with pytest.raises(ProjectNotFound) as unseen:
            reading.show(uow, reader, hidden.id, NOW)
        with pytest.raises(ProjectNotFound) as unseen_slug:
            reading.show_by_slug(uow, reader, 'maker', 'hidden', NOW)
        with pytest.raises(ProjectNotFound) as absent:
            reading.show(uow, reader, 99, NOW)
        assert unseen.value.message == unseen_slug.value.message == absent.value.message


def test_scheduled_project_becomes_public(uow: FakeUnitOfWork, author: Identity) -> None:
    project = publish(uow, author, published_at=LATER)

    with pytest.raises(ProjectNotFound):
        reading.show(uow, None, project.id, LATER - timedelta(microseconds=1))
    assert reading.show(uow, None, project.id, LATER).id == project.id


def test_old_slug_finds_its_project(uow: FakeUnitOfWork, author: Identity, public: Project) -> None:
    publishing.change(
        uow, FakeRenderer(), lambda _: False, author, public.id, ProjectPatch(slug='new'), now=LATER
    )

    assert reading.show_by_slug(uow, None, 'maker', 'public', LATER).slug == 'new'


@pytest.mark.usefixtures('public')
@pytest.mark.parametrize(('username', 'slug'), [('maker', 'none'), ('maker', 'PUBLIC'), ('maker', ''),
                                                ('maker', 'public\0'), ('nobody', 'public'),
                                                ('other', 'public'), ('\ud800', 'public'),
                                                ('maker', 'x' * 5000)])
def test_unknown_slugs_are_not_found(uow: FakeUnitOfWork, other: Identity, username: str, slug: str) -> None:
    with pytest.raises(ProjectNotFound):
        reading.show_by_slug(uow, other, username, slug, NOW)


def test_deleted_account_cannot_read(uow: FakeUnitOfWork, public: Project) -> None:
    gone = Identity(99)

    with pytest.raises(AccountGone):
        reading.show(uow, gone, public.id, NOW)
    with pytest.raises(AccountGone):
        reading.show_by_slug(uow, gone, 'maker', 'public', NOW)
    with pytest.raises(AccountGone):
        reading.list_of_user(uow, gone, 'maker', PAGE, now=NOW)


@pytest.mark.parametrize(
    ('visibility', 'of_owner', 'of_others'),
    [
        (VisibilityFilter.PUBLISHED, ['public'], ['public']),
        (VisibilityFilter.SCHEDULED, ['scheduled'], []),
        (VisibilityFilter.DRAFT, ['draft'], []),
        (VisibilityFilter.ALL, ['scheduled', 'draft', 'public'], ['public']),
    ],
)
def test_list_filters_by_visibility(
    uow: FakeUnitOfWork, author: Identity, other: Identity, visibility: VisibilityFilter, of_owner: list[str],
    of_others: list[str]
) -> None:
    publish(uow, author, 'public')
    publish(uow, author, 'draft', status=ProjectStatus.DRAFT)
    publish(uow, author, 'scheduled', published_at=LATER)
    publish(uow, other, 'of another')

    for reader, titles in ((author, of_owner), (other, of_others), (None, of_others)):
        page = reading.list_of_user(uow, reader, 'maker', PAGE, visibility=visibility, now=NOW)
        assert [content_of(project)['title'] for project in page.items] == titles


def test_list_has_one_users_projects_newest_first(uow: FakeUnitOfWork, author: Identity) -> None:
    ids = [publish(uow, author).id for _ in range(3)]

    page = reading.list_of_user(uow, None, 'Maker', ListQuery(limit=2), now=NOW)
    rest = reading.list_of_user(uow, None, 'maker', ListQuery(limit=2, cursor=page.next), now=NOW)

    assert [project.id for project in page.items] == [ids[2], ids[1]]
    assert [project.id for project in rest.items] == [ids[0]]
    assert rest.next is None


@pytest.mark.usefixtures('author')
def test_user_without_projects_has_an_empty_list(uow: FakeUnitOfWork) -> None:
    assert not reading.list_of_user(uow, None, 'maker', PAGE, now=NOW).items


@pytest.mark.parametrize('username', ['nobody', 'a/b', '\0', '\ud800', 'x' * 5000])
def test_unknown_user_is_not_found(uow: FakeUnitOfWork, username: str) -> None:
    with pytest.raises(UserNotFound) as caught:
        reading.list_of_user(uow, None, username, PAGE, now=NOW)
    assert caught.value.message == f"User '{username}' does not exist"
