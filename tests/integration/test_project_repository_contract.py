"""What the port of the project repository promises beyond lists, shown on the real one and on the fake."""
from dataclasses import fields
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import Engine

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_project.business.domain.errors import SlugTaken
from talelio_backend.app_project.business.domain.list_query import ListQuery
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus, ProjectView
from talelio_backend.app_project.business.domain.visibility import Selection, VisibilityFilter
from talelio_backend.app_project.data.project_repository import OLD_SLUGS
from talelio_backend.shared.business.errors import Conflict
from tests.support.backings import Backing, committed_account
from tests.support.engines import wait_for_waiters
from tests.support.project_documents import content_of
from tests.support.samples import NOW, new_project

SECOND = timedelta(seconds=1)
ALL = Selection(visibility=VisibilityFilter.ALL, now=NOW)


def committed(backing: Backing, project: Project) -> Project:
    with backing.unit_of_work() as uow:
        uow.projects.add(project)
        uow.commit()
    return project


def values(project: Project | None) -> dict[str, object]:
    assert project is not None
    return {each.name: getattr(project, each.name) for each in fields(Project)}


def give_slug(backing: Backing, project: Project, slug: str, seconds: int = 0) -> None:
    with backing.unit_of_work() as uow:
        found = uow.projects.get_for_update(project.id)
        assert found is not None
        uow.projects.lock_slugs(found.user_id, [slug])
        uow.projects.revive_slug(found.user_id, slug)
        uow.projects.retire_slug(found, NOW + seconds * SECOND)
        found.slug = slug
        uow.projects.save(found)
        uow.commit()


@pytest.fixture(name='owner')
def fixture_owner(backing: Backing) -> Account:
    return committed_account(backing)


def test_every_field_comes_back_as_it_was(backing: Backing, owner: Account) -> None:
    project = new_project(owner.user.id, slug='übrig-1')
    project.given_summary = 'Sum & mary'
    project.status = ProjectStatus.DRAFT
    project.published_at = None
    project.tags = ['c++', "it's", 'ä ö']
    project.cover_image = 'https://a.example/b.jpg'
    project.position = 12
    project.excerpt = 'Excerpt'
    project.toc = [{'id': 'a', 'text': 'Ä "b"', 'children': [{'id': 'c', 'text': '', 'children': []}]}]
    project.words = 7
    project.rendering = 3
    committed(backing, project)

    with backing.unit_of_work() as uow:
        assert values(uow.projects.get(project.id)) == values(project)
        assert values(uow.projects.get_for_update(project.id)) == values(project)
        assert values(uow.projects.get_by_slug(owner.user.id, 'übrig-1')) == values(project)
    with backing.read_session() as read_session:
        projects = read_session.project_views
        [listed] = projects.list_of_user(owner.user.id, ListQuery(), ALL).items
        by_id, by_slug = projects.get(project.id), projects.get_by_slug(owner.user.id, 'übrig-1')
        for shown in (by_id, by_slug, listed):
            assert values(project) == values(project) | {
                field.name: getattr(shown, field.name)
                for field in fields(ProjectView)
            }


@pytest.mark.parametrize('id_', [0, -1, 99, 2**31, 2**63])
def test_an_id_that_no_project_has_finds_none(backing: Backing, id_: int) -> None:
    with backing.unit_of_work() as uow:
        assert uow.projects.get(id_) is None
        assert uow.projects.get_for_update(id_) is None
    with backing.read_session() as read_session:
        assert read_session.project_views.get(id_) is None


def test_a_slug_belongs_to_one_project_of_a_user(backing: Backing, owner: Account) -> None:
    other = committed_account(backing, 'other')
    project = committed(backing, new_project(owner.user.id, slug='a'))
    second = committed(backing, new_project(owner.user.id, slug='b'))
    committed(backing, new_project(other.user.id, slug='a'))

    with pytest.raises(SlugTaken, match="'a'"):
        committed(backing, new_project(owner.user.id, slug='a'))
    with pytest.raises(SlugTaken, match="'a'"), backing.unit_of_work() as uow:
        found = uow.projects.get_for_update(second.id)
        assert found is not None
        found.slug = 'a'
        uow.projects.save(found)

    with backing.unit_of_work() as uow:
        stored = uow.projects.get_by_slug(owner.user.id, 'a')
        assert stored is not None and stored.id == project.id
        assert uow.projects.get_by_slug(owner.user.id, 'A') is None


def test_old_slugs_find_their_project(backing: Backing, owner: Account) -> None:
    project = committed(backing, new_project(owner.user.id, slug='one'))
    other = committed(backing, new_project(owner.user.id, slug='other'))
    give_slug(backing, project, 'two')
    give_slug(backing, project, 'three')

    with backing.unit_of_work() as uow, backing.read_session() as read_session:
        for slug in ('one', 'two'):
            found = read_session.project_views.get_by_old_slug(owner.user.id, slug)
            assert found is not None and found.id == project.id
            assert read_session.project_views.get_by_old_slug(99, slug) is None
        assert read_session.project_views.get_by_old_slug(owner.user.id, 'three') is None
        slugs = {'one', 'two', 'three', 'other', 'none'}
        assert uow.projects.lock_slugs(owner.user.id, slugs) == {
            'one': project.id,
            'two': project.id,
            'three': project.id,
            'other': other.id
        }
        assert not uow.projects.lock_slugs(99, slugs)
        assert not uow.projects.lock_slugs(owner.user.id, [])


def test_a_revived_slug_is_no_old_one_any_more(backing: Backing, owner: Account) -> None:
    project = committed(backing, new_project(owner.user.id, slug='one'))
    give_slug(backing, project, 'two')
    give_slug(backing, project, 'one')

    with backing.read_session() as read_session:
        assert read_session.project_views.get_by_old_slug(owner.user.id, 'one') is None
        assert read_session.project_views.get_by_old_slug(owner.user.id, 'two') is not None


def test_of_very_many_old_slugs_the_oldest_are_forgotten(backing: Backing, owner: Account) -> None:
    project = committed(backing, new_project(owner.user.id, slug='slug-0'))
    for number in range(OLD_SLUGS + 2):
        give_slug(backing, project, f'slug-{number + 1}', seconds=number)

    with backing.read_session() as read_session:
        kept = [
            number for number in range(OLD_SLUGS + 2)
            if read_session.project_views.get_by_old_slug(owner.user.id, f'slug-{number}') is not None
        ]
    assert kept == list(range(2, OLD_SLUGS + 2))


def test_a_removed_project_is_found_nowhere_and_its_slugs_are_free(backing: Backing, owner: Account) -> None:
    project = committed(backing, new_project(owner.user.id, slug='one'))
    give_slug(backing, project, 'two')

    with backing.unit_of_work() as uow:
        found = uow.projects.get_for_update(project.id)
        assert found is not None
        uow.projects.delete(found)
        uow.commit()

    with backing.unit_of_work() as uow, backing.read_session() as read_session:
        assert uow.projects.get(project.id) is None
        assert not uow.projects.lock_slugs(owner.user.id, ['one', 'two'])
        assert read_session.project_views.get_by_old_slug(owner.user.id, 'one') is None
    committed(backing, new_project(owner.user.id, slug='two'))


@pytest.mark.parametrize(
    ('visibility', 'shown'),
    [
        (VisibilityFilter.PUBLISHED, ['now', 'before']),
        (VisibilityFilter.SCHEDULED, ['later']),
        (VisibilityFilter.DRAFT, ['timed draft', 'draft']),
        (VisibilityFilter.ALL, ['timed draft', 'draft', 'later', 'now', 'before']),
    ],
)
def test_a_page_shows_what_is_selected(
    backing: Backing, owner: Account, visibility: VisibilityFilter, shown: list[str]
) -> None:
    for title, status, published_at in [
        ('before', ProjectStatus.PUBLISHED, NOW - SECOND),
        ('now', ProjectStatus.PUBLISHED, NOW),
        ('later', ProjectStatus.PUBLISHED, NOW + timedelta(microseconds=1)),
        ('draft', ProjectStatus.DRAFT, None),
        ('timed draft', ProjectStatus.DRAFT, NOW - SECOND),
    ]:
        project = new_project(owner.user.id, title=title, status=status)
        project.published_at = published_at
        committed(backing, project)

    with backing.read_session() as read_session:
        page = read_session.project_views.list_of_user(
            owner.user.id, ListQuery(limit=10), Selection(visibility=visibility, now=NOW)
        )
    assert [content_of(project)['title'] for project in page.items] == shown


# What only a real database does


def test_a_locked_row_waits_and_shows_what_was_committed(
    real_backing: Backing, shared_engine: Engine
) -> None:
    owner = committed_account(real_backing)
    project = committed(real_backing, new_project(owner.user.id))
    seen: list[str] = []

    def read() -> None:
        with real_backing.unit_of_work() as uow:
            assert uow.projects.get(project.id) is not None
            found = uow.projects.get_for_update(project.id)
            assert found is not None
            seen.append(found.title)

    with real_backing.unit_of_work() as uow:
        locked = uow.projects.get_for_update(project.id)
        assert locked is not None
        reader = Thread(target=read)
        reader.start()
        wait_for_waiters(shared_engine)
        locked.title = 'Changed'
        uow.commit()
    reader.join()

    assert seen == ['Changed']


def test_slugs_are_given_one_after_the_other(real_backing: Backing, shared_engine: Engine) -> None:
    owner, other = committed_account(real_backing), committed_account(real_backing, 'other')
    held: list[dict[str, int]] = []

    def look() -> None:
        with real_backing.unit_of_work() as uow:
            held.append(dict(uow.projects.lock_slugs(owner.user.id, ['a'])))

    with real_backing.unit_of_work() as uow:
        uow.projects.lock_slugs(owner.user.id, [])
        with real_backing.unit_of_work() as others:
            others.projects.lock_slugs(other.user.id, [])
        reader = Thread(target=look)
        reader.start()
        wait_for_waiters(shared_engine)
        project = new_project(owner.user.id, slug='a')
        uow.projects.add(project)
        uow.commit()
    reader.join()

    assert held == [{'a': project.id}]


def test_a_change_of_what_was_deleted_meanwhile_is_a_conflict(real_backing: Backing) -> None:
    owner = committed_account(real_backing)
    project = committed(real_backing, new_project(owner.user.id))

    with pytest.raises(Conflict), real_backing.unit_of_work() as uow:
        found = uow.projects.get(project.id)
        assert found is not None
        with real_backing.unit_of_work() as other:
            same = other.projects.get(project.id)
            assert same is not None
            other.projects.delete(same)
            other.commit()
        found.title = 'Changed'
        uow.projects.save(found)


def test_ids_are_found_by_the_number_of_the_rendering(backing: Backing, owner: Account) -> None:
    ids = []
    for rendering in (0, 3, 1, 2):
        project = new_project(owner.user.id)
        project.rendering = rendering
        ids.append(committed(backing, project).id)

    with backing.unit_of_work() as uow:
        assert list(uow.projects.ids_rendered_before(3, ids[0] - 1, 10)) == [ids[0], ids[2], ids[3]]
        assert list(uow.projects.ids_rendered_before(3, ids[0], 1)) == [ids[2]]
        assert not uow.projects.ids_rendered_before(3, ids[3], 10)
