"""Orders, cursors, tags and search of lists, on the real repository and on the fake; the server's plans."""
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_project.business.domain.fields import check_body
from talelio_backend.app_project.business.domain.folding import UNSPACED, fold
from talelio_backend.app_project.business.domain.list_query import Cursor, ListQuery, Sort
from talelio_backend.app_project.business.domain.search import SEPARATORS, parse_terms
from talelio_backend.app_project.business.domain.visibility import Selection, VisibilityFilter
from talelio_backend.app_project.data.read_model import list_query
from talelio_backend.shared.business.errors import Invalid
from tests.support.backings import Backing, RealBacking, committed_account
from tests.support.engines import copied_database, scalar
from tests.support.languages import FOUND, NOT_FOUND
from tests.support.plans import statements
from tests.support.project_documents import content_of
from tests.support.samples import NOW, new_project

SECOND = timedelta(seconds=1)
PUBLISHED = Selection(visibility=VisibilityFilter.PUBLISHED, now=NOW + timedelta(days=1))


@pytest.fixture(name='owner')
def fixture_owner(backing: Backing) -> Account:
    owner = committed_account(backing)
    with backing.unit_of_work() as uow:
        for number, (title, position, published, updated, tags) in enumerate([
            ('b', 2, 5, None, ['x']),
            ('A', 2, 1, 9, ['x', 'y']),
            ('c', 0, 4, 7, []),
            ('B', 1, 4, None, ['y']),
            ('a', 0, 2, 7, ['x']),
        ]):
            project = new_project(
                owner.user.id, title=title, body=f'text {number}', now=NOW + number * SECOND
            )
            project.position, project.tags = position, tags
            project.published_at = NOW + published * SECOND
            project.updated_at = None if updated is None else NOW + updated * SECOND
            uow.projects.add(project)
        uow.commit()
    return owner


def titles(backing: Backing, owner: Account,
           listing: ListQuery) -> tuple[list[str], Cursor | None, Cursor | None]:
    with backing.read_session() as read_session:
        listed = read_session.project_views.list_of_user(owner.user.id, listing, PUBLISHED)
        same = read_session.project_views.list_by_username(owner.user.username.upper(), listing, PUBLISHED)
    assert listed.total == (3 if listing.tag else 5)
    if same is None:
        assert listing.cursor is not None or listing.tag is not None
    else:
        assert [project.id for project in same.items] == [project.id for project in listed.items]
        assert replace(same, items=listed.items) == listed
    return [content_of(project)['title'] for project in listed.items], listed.previous, listed.next


ORDERS = {
    Sort.NEWEST: 'a B c A b',
    Sort.OLDEST: 'b A c B a',
    Sort.TITLE: 'A a b B c',
    Sort.POSITION: 'c a B b A',
    Sort.PUBLISHED_AT: 'b B c a A',
    Sort.UPDATED_AT: 'A a c B b',
}


@pytest.mark.parametrize('sort', ORDERS)
@pytest.mark.parametrize('limit', [1, 2, 3, 5])
def test_each_order_is_walked_there_and_back(
    backing: Backing, owner: Account, sort: Sort, limit: int
) -> None:
    listing = ListQuery(limit=limit, sort=sort)
    pages = []
    there: Cursor | None = None
    for _ in range(5):
        page, _, there = titles(backing, owner, replace(listing, cursor=there))
        pages.append(page)
        if there is None:
            break
    last = pages[-1]
    assert ' '.join(title for page in pages for title in page) == ORDERS[sort]

    # From the last page back.
    back = []
    _, there, _ = titles(backing, owner, replace(listing, cursor=None))
    assert there is None
    cursor = None
    for _ in range(len(pages) - 1):
        _, _, cursor = titles(backing, owner, replace(listing, cursor=cursor))
    page, before, _ = titles(backing, owner, replace(listing, cursor=cursor))
    assert page == last
    for _ in range(5):
        if before is None:
            break
        page, before, after = titles(backing, owner, replace(listing, cursor=before))
        assert after is not None
        back.append(page)
    assert back == pages[-2::-1]


def test_where_there_is_nothing_at_once_nobody_may_have_the_name(backing: Backing, owner: Account) -> None:
    with backing.read_session() as read_session:
        projects = read_session.project_views
        assert projects.list_by_username('nobody', ListQuery(), PUBLISHED) is None
        scheduled = replace(PUBLISHED, visibility=VisibilityFilter.SCHEDULED)
        assert projects.list_by_username(owner.user.username, ListQuery(), scheduled) is None


def test_only_what_has_the_tag_is_listed_and_counted(backing: Backing, owner: Account) -> None:
    assert titles(backing, owner, ListQuery(tag='x'))[0] == ['a', 'A', 'b']
    assert titles(backing, owner, ListQuery(tag='x', limit=2))[0] == ['a', 'A']


SEARCHED = {
    'In C++': 'Written in plain words',
    'In C': 'a snake: foo_bar, and node.js',
    'Chairs': 'Grüße aus Köln. See https://www.example.com/path/to.html?x=1',
    'Table': 'The chair stands beside <b>tables</b>',
}


@pytest.mark.parametrize(
    ('query', 'found'),
    [
        ('C++', {'In C++'}),
        ('c', {'In C'}),
        ('foo_bar', {'In C'}),
        ('foo', {'In C'}),
        ('bar_foo', set()),
        ('node.js', {'In C'}),
        ('js', {'In C'}),
        ('node', {'In C'}),
        ('chair', {'Chairs', 'Table'}),
        ('chair table', {'Table'}),
        ('hair', set()),
        ('GRÜSSE', {'Chairs'}),
        ('grü köl', {'Chairs'}),
        ('example.com', {'Chairs'}),
        ('to.html', {'Chairs'}),
        ("it's' & | ! <-> :* \\ (", set()),
    ],
)
def test_words_are_found(backing: Backing, query: str, found: set[str]) -> None:
    owner = committed_account(backing)
    with backing.unit_of_work() as uow:
        for title, body in SEARCHED.items():
            uow.projects.add(new_project(owner.user.id, title=title, body=body))
        uow.commit()

    with backing.read_session() as read_session:
        listing = ListQuery(sort=Sort.RELEVANCE, terms=parse_terms(query))
        listed = read_session.project_views.list_of_user(owner.user.id, listing, PUBLISHED)
        unpublished = read_session.project_views.list_of_user(
            owner.user.id, listing, replace(PUBLISHED, visibility=VisibilityFilter.DRAFT)
        )

    assert {content_of(project)['title'] for project in listed.items} == found
    assert listed.total == len(found) and not unpublished.items


@pytest.fixture(name='languages', scope='module')
def fixture_languages(postgres_url: str) -> Iterator[tuple[Backing, Account, dict[str, int]]]:
    """A user with a project for each text, and the projects' ids."""
    with copied_database(postgres_url) as engine:
        backing = RealBacking(engine)
        owner = committed_account(backing)
        with backing.unit_of_work() as uow:
            projects = [new_project(owner.user.id, title=text) for text, _ in FOUND + NOT_FOUND]
            for project in projects:
                uow.projects.add(project)
            uow.commit()
        yield backing, owner, {project.title: project.id for project in projects}


@pytest.mark.parametrize(('text', 'query'), FOUND)
def test_words_of_any_language_are_found(
    languages: tuple[Backing, Account, dict[str, int]], text: str, query: str
) -> None:
    backing, owner, ids = languages

    assert ids[text] in found_by(backing, owner, query)


@pytest.mark.parametrize(('text', 'query'), NOT_FOUND)
def test_other_words_of_any_language_are_not_found(
    languages: tuple[Backing, Account, dict[str, int]], text: str, query: str
) -> None:
    backing, owner, ids = languages

    assert ids[text] not in found_by(backing, owner, query)


@pytest.mark.parametrize('place', ['title', 'body', 'given_summary', 'excerpt', 'tags'])
def test_words_are_found_in_each_text_of_a_project_and_no_longer_when_it_changes(
    backing: Backing, place: str
) -> None:
    owner = committed_account(backing)
    with backing.unit_of_work() as uow:
        project = new_project(owner.user.id, title='x', body='x')
        setattr(project, place, ['Étagère'] if place == 'tags' else 'Étagère')
        uow.projects.add(project)
        uow.commit()
    found = found_by(backing, owner, 'etagere')
    with backing.unit_of_work() as uow:
        changed = uow.projects.get_for_update(project.id)
        assert changed is not None
        setattr(changed, place, ['table'] if place == 'tags' else 'table')
        uow.projects.save(changed)
        uow.commit()

    assert found == [project.id]
    assert not found_by(backing, owner, 'etagere')
    assert found_by(backing, owner, 'table') == [project.id]


def found_by(backing: Backing, owner: Account, query: str) -> list[int]:
    listing = ListQuery(sort=Sort.RELEVANCE, terms=parse_terms(query))
    with backing.read_session() as read_session:
        listed = read_session.project_views.list_of_user(owner.user.id, listing, PUBLISHED)
    return [project.id for project in listed.items]


def test_the_server_folds_each_character_as_the_query_is_folded(shared_engine: Engine) -> None:
    characters = [chr(code) for code in range(1, sys.maxunicode) if unicodedata.category(chr(code))[0] != 'C']

    folded = for_each(shared_engine, 'fold_text(value)', characters)

    differing = [pair for pair in zip(characters, folded, strict=True) if pair[1] != fold(pair[0])]
    assert len(characters) > 140_000
    assert not differing


def for_each(engine: Engine, expression: str, values: list[str]) -> list[Any]:
    """What the server makes of each value."""
    source = 'unnest(:values) WITH ORDINALITY AS given (value, place)'
    query = f'SELECT array_agg({expression} ORDER BY place) FROM {source}'
    results: list[Any] = scalar(engine, query, values=values)
    return results


def test_the_server_knows_which_letters_have_no_spaces_between_words(shared_engine: Engine) -> None:
    # The large blocks are sampled.
    letters = [chr(code) for code in range(0x80, sys.maxunicode) if code < 0x3400 or code % 101 == 0]
    letters = [letter for letter in letters if letter.isalpha() and fold(letter)[-1:].isalpha()]

    apart = for_each(shared_engine, "words_of(value || 'z') @@ 'z'", letters)

    unspaced = re.compile(f'.*[{UNSPACED}]')
    assert [
        letter for letter, is_apart in zip(letters, apart, strict=True)
        if is_apart != bool(unspaced.match(fold(letter)))
    ] == []


def test_the_server_splits_words_where_queries_are_split(shared_engine: Engine) -> None:
    texts = [f'a{separator}bc' for separator in SEPARATORS]

    assert all(for_each(shared_engine, "split_words(value) @@ 'bc'", texts))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(
        st.sampled_from('aßİΣςé\u0301\u0323か\u3099ﾊﾞ가ᄀ\u1161ไม้ क\u093f')
        | st.characters(exclude_categories=['C'])
    )
)
def test_the_server_folds_texts_as_queries_are_folded(shared_engine: Engine, value: str) -> None:
    assert scalar(shared_engine, 'SELECT fold_text(:value)', value=value) == fold(value)


# Nearly every two neighbours are a pair of their own.
PAIRS = ''.join(chr(0x4e00 + first) + chr(0x4e00 + second) for first in range(294) for second in range(first))
# No text could index more than these do.
LONGEST = {
    'pairs': PAIRS,
    'pairs and words': '、'.join(PAIRS[start:start + 600] for start in range(0, len(PAIRS), 600)),
    'long ligatures': ''.join(f'ﷺ{number:x}' for number in range(36_000)),
}


@pytest.mark.parametrize('text', LONGEST.values(), ids=LONGEST)
def test_the_longest_text_is_indexed_to_its_end(real_backing: Backing, text: str) -> None:
    body = f'{text} chair'
    check_body(body)
    owner = committed_account(real_backing)
    with real_backing.unit_of_work() as uow:
        uow.projects.add(new_project(owner.user.id, title='Étagère', body=body))
        uow.commit()

    assert len(found_by(real_backing, owner, 'chair')) == len(found_by(real_backing, owner, 'etagere')) == 1


def test_what_has_the_word_in_its_title_comes_first_and_pages_hold_each_once(backing: Backing) -> None:
    owner = committed_account(backing)
    with backing.unit_of_work() as uow:
        for number in range(6):
            title = 'chair' if number % 3 == 0 else 'x'
            uow.projects.add(new_project(owner.user.id, title=title, body='a chair'))
        uow.commit()

    found: list[tuple[str, int]] = []
    listing = ListQuery(sort=Sort.RELEVANCE, terms=parse_terms('chair'), limit=2)
    for _ in range(3):
        with backing.read_session() as read_session:
            listed = read_session.project_views.list_of_user(owner.user.id, listing, PUBLISHED)
        found += [(content_of(project)['title'], project.id) for project in listed.items]
        listing = replace(listing, cursor=listed.next)

    assert listing.cursor is None
    assert [title for title, _ in found] == ['chair'] * 2 + ['x'] * 4
    assert len(set(found)) == 6


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
def test_no_query_is_too_much_for_the_server(shared_engine: Engine, query: str) -> None:
    try:
        terms = parse_terms(query.replace('\0', ''))
    except Invalid:
        return
    with RealBacking(shared_engine).read_session() as read_session:
        read_session.project_views.list_of_user(1, ListQuery(sort=Sort.RELEVANCE, terms=terms), PUBLISHED)


def test_beyond_a_large_page_nothing_large_leaves_the_server(
    real_backing: Backing, shared_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_query, 'PAGE_SIZE', 64 * 1024)
    owner = committed_account(real_backing)
    with real_backing.unit_of_work() as uow:
        for _ in range(3):
            project = new_project(owner.user.id, body='a' * 16 * 1024)
            project.toc = [{'id': 'a', 'text': 'A', 'children': []}]
            uow.projects.add(project)
        uow.commit()

    with statements(shared_engine) as sent, real_backing.read_session() as read_session:
        read_session.project_views.list_of_user(owner.user.id, ListQuery(), PUBLISHED)

    with shared_engine.connect() as connection:
        rows = connection.exec_driver_sql(*sent[0]).mappings().all()
    assert [row['document'] is not None for row in rows] == [True, True, False]
