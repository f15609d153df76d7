"""Lists of projects over HTTP: pages, orders, tags, fields, search, and their refusals."""
from http import HTTPStatus
from typing import Any

import pytest

from tests.support.answers import PROJECT_KEYS, error_in, error_of, ok
from tests.support.members import Member, join, publish
from tests.support.served_api import ServedApi


@pytest.fixture(name='maker', scope='module')
def _maker(api: ServedApi) -> Member:
    """Somebody with five projects."""
    maker = join(api)
    for number, title in enumerate(['b', 'A chair', 'c', 'B', 'a']):
        body = {
            'title': title,
            'body': f'Words of *ash* & C++ {number}',
            'position': -number % 5,
            'tags': ['X']
        }
        ok(api.post('/v1/projects', body, headers=maker.bearer), HTTPStatus.CREATED)
    return maker


def titles(response: Any) -> list[str]:
    return [project['title'] for project in ok(response)]


@pytest.mark.parametrize(
    ('sort', 'order'),
    [
        ('newest', ['a', 'B', 'c', 'A chair', 'b']),
        ('oldest', ['b', 'A chair', 'c', 'B', 'a']),
        ('title', ['a', 'A chair', 'b', 'B', 'c']),
        ('position', ['b', 'a', 'B', 'c', 'A chair']),
        ('published_at', ['a', 'B', 'c', 'A chair', 'b']),
        ('updated_at', ['a', 'B', 'c', 'A chair', 'b']),
    ],
)
def test_pages_link_there_and_back(api: ServedApi, maker: Member, sort: str, order: list[str]) -> None:
    first = api.get(f'{maker.projects_path}?sort={sort}&limit=2')
    second = api.get(first.links['next']['url'])
    third = api.get(second.links['next']['url'])
    back = api.get(third.links['prev']['url'])

    assert [titles(page) for page in (first, second, third)] == [order[:2], order[2:4], order[4:]]
    assert titles(back) == order[2:4]
    assert first.links.keys() == {'first', 'next'} and third.links.keys() == {'first', 'prev'}
    assert titles(api.get(third.links['first']['url'])) == order[:2]
    for page in (first, second, third, back):
        assert page.headers['X-Total-Count'] == '5'
    assert titles(api.get(back.links['prev']['url'])) == order[:2]


def test_what_is_all_on_one_page_has_a_count_and_no_links(api: ServedApi, maker: Member) -> None:
    response = api.get(maker.projects_path)

    assert response.headers['X-Total-Count'] == '5' and 'Link' not in response.headers


def test_a_tag_is_found_however_it_is_written(api: ServedApi, maker: Member) -> None:
    assert len(ok(api.get(f'{maker.projects_path}?tag=%20x'))) == 5
    assert ok(api.get(f'{maker.projects_path}?tag=none')) == []


def test_only_the_fields_that_are_asked_for_come(api: ServedApi, maker: Member) -> None:
    found = ok(api.get(f'{maker.projects_path}?fields=title,id&limit=1'))

    assert [list(project) for project in found] == [['id', 'title']]


def test_a_search_finds_words_and_marks_them(api: ServedApi, maker: Member) -> None:
    found = ok(api.get(f'{maker.projects_path}?q=chai c%2B%2B'))

    assert [list(project) for project in found] == [[*PROJECT_KEYS, 'snippet']]
    assert found[0]['title'] == 'A chair'
    assert found[0]['snippet'] == 'Words of ash &amp; <mark>C++</mark> 1'
    assert ok(api.get(f'{maker.projects_path}?q=ash&fields=snippet&limit=1&sort=oldest')) == [{
        'snippet':
        'Words of <mark>ash</mark> &amp; C++ 0'
    }]
    pages = api.get(f'{maker.projects_path}?q=ash&limit=3')
    assert pages.headers['X-Total-Count'] == '5'
    assert len(ok(api.get(pages.links['next']['url']))) == 2


@pytest.mark.parametrize(('query', 'snippet'), [
    ('桌子', '木工<mark>桌子</mark>制作 · Étagère en chêne'),
    ('ETAGERE chene', '木工桌子制作 · <mark>Étagère</mark> en <mark>chêne</mark>'),
])
def test_a_search_finds_words_of_any_language(
    api: ServedApi, member: Member, query: str, snippet: str
) -> None:
    publish(api, member, 'x', '木工桌子制作 · Étagère en chêne')

    assert ok(api.get(f'{member.projects_path}?q={query}&fields=snippet')) == [{'snippet': snippet}]


@pytest.mark.parametrize(
    ('query', 'name', 'reason'),
    [
        ('page=2', 'page', 'is unknown'),
        ('sort=size', 'sort', "must be 'newest', 'oldest', 'title', 'position', 'published_at', 'updated_at' "
                              "or 'relevance'"),
        ('sort=relevance', 'sort', "can be 'relevance' only with 'q'"),
        ('cursor=x', 'cursor', 'must be one that this list has given, in the same order'),
        ('cursor=x&before=1', 'before', "cannot be together with 'cursor'"),
        ('sort=title&before=1', 'before', "wants the newest first; other orders have 'cursor'"),
        ('tag=', 'tag', 'is none that a project could have'),
        ('tag=%00', 'tag', 'must not contain a NUL character'),
        ('q=', 'q', 'must have a letter or a digit'),
        ('q=%00', 'q', 'must not contain a NUL character'),
        ('q=' + 'x' * 201, 'q', 'must have at most 200 characters'),
    ],
)  # yapf: disable
def test_a_parameter_that_cannot_be_is_named(
    api: ServedApi, maker: Member, query: str, name: str, reason: str
) -> None:
    error = error_in(api.get(f'{maker.projects_path}?{query}'), HTTPStatus.BAD_REQUEST)

    assert (name, reason) in [(detail['pointer'].strip('/'), detail['reason']) for detail in error['details']]
    assert name in error['message']


def test_fields_that_are_none_are_told_what_there_is(api: ServedApi, maker: Member) -> None:
    message = error_of(api.get(f'{maker.projects_path}?fields=id,size'), HTTPStatus.BAD_REQUEST)

    assert message.startswith("'fields' must be some of id, ") and message.endswith("'size' is none")
