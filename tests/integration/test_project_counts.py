"""The kept numbers of projects are those of the rows, whatever was done to them, by whom and at once."""
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_project.business.domain.list_query import Cursor, ListQuery
from talelio_backend.app_project.business.domain.project import Project, ProjectStatus
from talelio_backend.app_project.business.domain.visibility import Selection, VisibilityFilter
from tests.support.backings import Backing, RealBacking, committed_account
from tests.support.engines import ProbingUnitOfWork, scalar
from tests.support.samples import NOW, new_project

HOUR = timedelta(hours=1)

# 0 where both say the same of everybody.
DIFFERENCES = """
    SELECT count(*) FROM (
        SELECT user_id, count(*) AS total, count(*) FILTER (WHERE status = 'draft') AS drafts,
            count(*) FILTER (WHERE status = 'published' AND published_at IS NOT NULL) AS published
        FROM projects GROUP BY user_id
    ) AS counted
    FULL JOIN (SELECT * FROM project_counts WHERE total <> 0 OR drafts <> 0 OR published <> 0) AS kept
        USING (user_id)
    WHERE (counted.total, counted.drafts, counted.published)
        IS DISTINCT FROM (kept.total, kept.drafts, kept.published)
"""


@pytest.fixture(name='owner')
def fixture_owner(backing: Backing) -> Account:
    """With two that are public, one that is scheduled, three drafts, of which one was published before."""
    owner = committed_account(backing)
    with backing.unit_of_work() as uow:
        for status, published_at in [
            (ProjectStatus.PUBLISHED, NOW - HOUR),
            (ProjectStatus.PUBLISHED, NOW),
            (ProjectStatus.PUBLISHED, NOW + HOUR),
            (ProjectStatus.DRAFT, None),
            (ProjectStatus.DRAFT, NOW - HOUR),
            (ProjectStatus.DRAFT, NOW + HOUR),
        ]:
            project = new_project(owner.user.id, status=status)
            project.published_at = published_at
            uow.projects.add(project)
        uow.commit()
    return owner


def total(
    backing: Backing,
    owner: Account,
    visibility: VisibilityFilter,
    *,
    hours: int = 0,
    place: int | None = None
) -> int:
    cursor = None if place is None else Cursor(value=place, id=place)
    selection = Selection(visibility=visibility, now=NOW + hours * HOUR)
    with backing.read_session() as read_session:
        return read_session.project_views.list_of_user(
            owner.user.id, ListQuery(limit=1, cursor=cursor), selection
        ).total


@pytest.mark.parametrize(
    ('visibility', 'hours', 'number'),
    [
        (VisibilityFilter.PUBLISHED, 0, 2),
        (VisibilityFilter.PUBLISHED, 1, 3),
        (VisibilityFilter.PUBLISHED, -1, 1),
        (VisibilityFilter.PUBLISHED, -2, 0),
        (VisibilityFilter.SCHEDULED, 0, 1),
        (VisibilityFilter.SCHEDULED, 1, 0),
        (VisibilityFilter.DRAFT, 0, 3),
        (VisibilityFilter.ALL, 0, 6),
    ],
)
@pytest.mark.parametrize('place', [None, 0, 2**31 - 1])
def test_a_list_tells_how_many_there_are_wherever_a_page_begins(
    backing: Backing, owner: Account, visibility: VisibilityFilter, hours: int, number: int, place: int | None
) -> None:
    assert total(backing, owner, visibility, hours=hours, place=place) == number


def test_somebody_who_never_had_a_project_has_none(backing: Backing) -> None:
    owner = committed_account(backing)

    assert total(backing, owner, VisibilityFilter.PUBLISHED, place=7) == 0


CHANGES = {
    'published':
    "UPDATE projects SET status = 'published', published_at = now() WHERE status = 'draft'",
    'withdrawn':
    "UPDATE projects SET status = 'draft'",
    'of another time':
    "UPDATE projects SET published_at = now() + interval '1 day'",
    'without a time':
    'UPDATE projects SET published_at = NULL',
    'of another text':
    "UPDATE projects SET body = 'x'",
    'deleted':
    "DELETE FROM projects WHERE status = 'draft'",
    'all deleted':
    'DELETE FROM projects',
    'gone with the account':
    'DELETE FROM accounts',
    'added':
    """
        INSERT INTO projects (user_id, created_at, title, body, html, status)
        SELECT user_id, now(), 'x', 'x', 'x', status FROM projects
    """,
    'put back':
    """
        INSERT INTO projects (user_id, created_at, title, slug, body, html)
        SELECT user_id, now(), 'x', slug, 'x', 'x' FROM projects
        ON CONFLICT (user_id, slug) DO UPDATE SET status = 'draft'
    """,
}


@pytest.mark.parametrize('change', CHANGES)
@pytest.mark.parametrize('is_kept', [True, False])
def test_the_numbers_go_with_the_rows(
    real_backing: RealBacking, shared_engine: Engine, change: str, is_kept: bool
) -> None:
    for username in ('one', 'two'):
        owner = committed_account(real_backing, username)
        with real_backing.unit_of_work() as uow:
            for status in ProjectStatus:
                uow.projects.add(new_project(owner.user.id, status=status))
            uow.commit()
    assert scalar(shared_engine, DIFFERENCES) == 0

    with ProbingUnitOfWork(shared_engine) as uow:
        uow.run(CHANGES[change])
        assert uow.run(DIFFERENCES) == 0
        if is_kept:
            uow.commit()

    assert scalar(shared_engine, DIFFERENCES) == 0


def test_many_at_once_are_all_counted(real_backing: RealBacking, shared_engine: Engine) -> None:
    owner = committed_account(real_backing)

    def come_and_go(number: int) -> None:
        with real_backing.unit_of_work() as uow:
            project = new_project(owner.user.id)
            uow.projects.add(project)
            uow.commit()
        with real_backing.unit_of_work() as uow:
            found = uow.projects.get_for_update(project.id)
            assert isinstance(found, Project)
            if number % 2:
                uow.projects.delete(found)
            else:
                found.status = ProjectStatus.DRAFT
            uow.commit()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(come_and_go, range(40)))

    assert scalar(shared_engine, DIFFERENCES) == 0
    assert scalar(shared_engine, 'SELECT drafts FROM project_counts') == 20


def test_a_change_that_moves_no_number_waits_for_none(
    real_backing: RealBacking, shared_engine: Engine
) -> None:
    owner = committed_account(real_backing)
    with real_backing.unit_of_work() as uow:
        project = new_project(owner.user.id)
        uow.projects.add(project)
        uow.commit()

    with ProbingUnitOfWork(shared_engine) as holding:
        holding.run('SELECT * FROM project_counts FOR UPDATE')
        scalar(shared_engine, "UPDATE projects SET title = 'changed'")
