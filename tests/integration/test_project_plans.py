"""What the server reads for each question about projects: as much as it answers, whatever else there is."""
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from talelio_backend.app_project.business.domain.list_query import Cursor, ListQuery, Sort
from talelio_backend.app_project.business.domain.search import parse_terms
from talelio_backend.app_project.business.domain.visibility import Selection, VisibilityFilter
from talelio_backend.bootstrap import ReadSession, UnitOfWork
from talelio_backend.shared.business.pagination import PageRequest
from tests.support.backings import RealBacking, committed_account
from tests.support.engines import scalar
from tests.support.plans import check, nodes_of, rows_of, statements
from tests.support.samples import NOW

LATER = NOW + timedelta(days=1)
LIMIT = 20
# Rows of all tables and indexes together: what is on the page, the next one, the user, what is counted ahead.
BOUND = 5 * LIMIT

_SMALL = """
    WITH small AS (
        INSERT INTO accounts (email, password_hash, verified, created_at, link_serial, link_requested_at)
        SELECT n || '@example.com', '', true, :now, 1, :now FROM generate_series(1, 2000) n RETURNING id
    ), users AS (
        INSERT INTO users (account_id, created_at, username, location)
        SELECT id, :now, 'small-' || id, '' FROM small RETURNING id
    )
    INSERT INTO project_counts (user_id, total, published) SELECT id, 0, 0 FROM users
"""


@pytest.fixture(name='prolific', scope='module')
def fixture_prolific(shared_engine: Engine) -> int:
    """The id of a user with thousands of projects, beside many others with more together."""
    scalar(shared_engine, 'DELETE FROM accounts')
    prolific = committed_account(RealBacking(shared_engine), 'prolific').user.id
    # Tables of one page are read as they are.
    scalar(shared_engine, _SMALL, now=NOW)
    # Others' are newer, and of many by turns: by the primary key they lie in a row, and by user all over.
    for others, number in (False, 5000), (True, 45_000):
        scalar(
            shared_engine, """
            INSERT INTO projects (
                user_id, created_at, published_at, updated_at, title, slug, body, html, tags, position
            )
            SELECT CASE WHEN :others THEN :prolific + 1 + n % 2000 ELSE :prolific END,
                :now - n * interval '1 min', :now - n * interval '1 min',
                CASE WHEN n % 3 = 0 THEN :now - n * interval '30 sec' END, 'Title ' || n * 7919 % 10007,
                'slug-' || n, 'word' || n || CASE n % 500 WHEN 21 THEN '木工桌子制作' ELSE ' text' END, '', ARRAY['tag ' || n % 500], n % 50
            FROM generate_series(1, :number) n
            """, others=others, prolific=prolific, now=NOW, number=number
        )  # yapf: disable
    # As autovacuum does in time.
    scalar(shared_engine, "SELECT gin_clean_pending_list('ix_projects_search')")
    for table in ('projects', 'project_changes', 'project_counts', 'users'):
        scalar(shared_engine, f'ANALYZE {table}')
    return prolific


def listed(
    engine: Engine,
    user_id: int,
    listing: ListQuery,
    visibility: VisibilityFilter = VisibilityFilter.PUBLISHED
) -> int:
    with ReadSession(engine) as read_session:
        selection = Selection(visibility=visibility, now=LATER)
        return read_session.project_views.list_of_user(user_id, listing, selection).total


def listed_at_once(engine: Engine, listing: ListQuery) -> int:
    with ReadSession(engine) as read_session:
        selection = Selection(visibility=VisibilityFilter.PUBLISHED, now=LATER)
        at_once = read_session.project_views.list_by_username('Prolific', listing, selection)
    assert at_once is not None
    return at_once.total


INDEXES = {
    Sort.NEWEST: 'ix_projects_user_id_id',
    Sort.OLDEST: 'ix_projects_user_id_id',
    Sort.TITLE: 'ix_projects_title',
    Sort.POSITION: 'ix_projects_position',
    Sort.PUBLISHED_AT: 'ix_projects_published_at',
    Sort.UPDATED_AT: 'ix_projects_updated_at',
}


@pytest.mark.parametrize('sort', INDEXES)
@pytest.mark.parametrize('backwards', [None, False, True])
def test_a_page_is_read_straight_off_the_index_of_its_order(
    shared_engine: Engine, prolific: int, sort: Sort, backwards: bool | None
) -> None:
    middle = NOW - timedelta(minutes=2500)
    values: dict[Sort, Any] = {Sort.TITLE: 'title 3', Sort.POSITION: 25}
    value = values.get(sort, middle if sort.value.endswith('_at') else 2500)
    cursor = None if backwards is None else Cursor(value=value, id=2500, backwards=backwards)
    listing = ListQuery(limit=LIMIT, sort=sort, cursor=cursor)

    nodes = check(shared_engine, lambda: listed(shared_engine, prolific, listing), BOUND)

    used = {node.get('Index Name') for node in nodes if node.get('Relation Name') == 'projects'}
    if sort is not Sort.PUBLISHED_AT:
        # By which those are counted whose time lies ahead.
        used.discard(INDEXES[Sort.PUBLISHED_AT])
    # Where few ids are left, the primary key's does as well.
    assert used == {INDEXES[sort]} or (cursor is not None and used == {'pk_projects'})


@pytest.mark.usefixtures('prolific')
@pytest.mark.parametrize('sort', INDEXES)
def test_a_first_page_at_once_is_read_off_the_same_index(shared_engine: Engine, sort: Sort) -> None:
    listing = ListQuery(limit=LIMIT, sort=sort)

    nodes = check(shared_engine, lambda: listed_at_once(shared_engine, listing), BOUND)

    used = {node.get('Index Name') for node in nodes if node.get('Relation Name') == 'projects'}
    # The other one counts those whose time lies ahead.
    assert used == {INDEXES[sort], INDEXES[Sort.PUBLISHED_AT]}


@pytest.mark.parametrize(
    'visibility', [VisibilityFilter.PUBLISHED, VisibilityFilter.ALL, VisibilityFilter.SCHEDULED]
)
def test_what_is_counted_is_not_read(
    shared_engine: Engine, prolific: int, visibility: VisibilityFilter
) -> None:
    listing = ListQuery(limit=LIMIT, sort=Sort.PUBLISHED_AT)

    check(shared_engine, lambda: listed(shared_engine, prolific, listing, visibility), BOUND)

    assert listed(shared_engine, prolific, listing,
                  visibility) == (0 if visibility is VisibilityFilter.SCHEDULED else 5000)


def test_beyond_the_end_nothing_is_read_and_all_are_counted(shared_engine: Engine, prolific: int) -> None:
    listing = ListQuery(limit=LIMIT, cursor=Cursor(value=0, id=0))

    check(shared_engine, lambda: listed(shared_engine, prolific, listing), BOUND)

    assert listed(shared_engine, prolific, listing) == 5000


@pytest.mark.parametrize(('word', 'number'), [('word4321', 1), ('桌子', 10)])
def test_a_rare_word_is_found_by_its_index(
    shared_engine: Engine, prolific: int, word: str, number: int
) -> None:
    listing = ListQuery(limit=LIMIT, sort=Sort.RELEVANCE, terms=parse_terms(word))

    nodes = check(shared_engine, lambda: listed(shared_engine, prolific, listing), BOUND)

    assert 'ix_projects_search' in {node.get('Index Name') for node in nodes}
    assert listed(shared_engine, prolific, listing) == number


def test_a_single_project_is_found_by_an_index(shared_engine: Engine, prolific: int) -> None:

    def ask() -> None:
        with ReadSession(shared_engine) as read_session:
            assert read_session.user_ids.by_username('Prolific') == prolific
            found = read_session.project_views.get_by_slug(prolific, 'slug-77')
            assert found is not None and read_session.project_views.get(found.id)
            assert read_session.project_views.get_by_old_slug(prolific, 'slug-77') is None

    # The users are two, and old slugs there are none: their tables are one page, which is read as it is.
    nodes = nodes_of(shared_engine, ask)
    assert not [
        node for node in nodes if node['Node Type'] == 'Seq Scan' and node['Relation Name'] == 'projects'
    ]
    assert all(rows_of(node) <= 2 for node in nodes)


@pytest.mark.parametrize('of_user', [True, False])
def test_feeds_and_sitemaps_read_what_they_show(shared_engine: Engine, prolific: int, of_user: bool) -> None:
    user_id = prolific if of_user else None

    def ask() -> None:
        with UnitOfWork(shared_engine) as uow:
            assert len(uow.public_projects.pages(user_id, LATER, LIMIT)) == LIMIT
            assert uow.changes.changed_at(user_id) is not None

    nodes = nodes_of(shared_engine, ask)
    assert not [
        node for node in nodes if node['Node Type'] == 'Seq Scan' and node['Relation Name'] == 'projects'
    ]
    assert all(rows_of(node) <= 2 * LIMIT + 2 for node in nodes)


def test_changes_and_pictures_are_read_by_the_page(shared_engine: Engine, prolific: int) -> None:

    def ask() -> None:
        with UnitOfWork(shared_engine) as uow:
            number = uow.changes.after(1000, 1).changes[0].number
            assert len(uow.changes.after(number, LIMIT).changes) == LIMIT
            uow.images.page_of_user(prolific, PageRequest(limit=LIMIT))

    with statements(shared_engine) as sent:
        ask()
    # Those that read by a cursor in the server are told apart from their name alone.
    assert sent
    nodes = nodes_of(shared_engine, ask)
    assert not [
        node for node in nodes if node['Node Type'] == 'Seq Scan' and 'project' in node['Relation Name']
    ]
    assert all(rows_of(node) <= BOUND for node in nodes)
