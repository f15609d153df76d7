"""A single project: shown, changed, deleted; drafts, slugs and the rest of its fields."""
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import pytest
from psycopg2.extensions import connection

from tests.support.answers import PROJECT_KEYS, TIME, error_in, error_of, ok
from tests.support.database import execute
from tests.support.members import Member, join, publish
from tests.support.served_api import ServedApi

PROJECTS = '/v1/projects'
FUTURE = '2999-12-31 23:59:59.000000'


def made(api: ServedApi, member: Member, **fields: Any) -> dict[str, Any]:
    body = {'title': 'A chair', 'body': 'Of *ash*.'} | fields
    project: dict[str, Any] = ok(api.post(PROJECTS, body, headers=member.bearer), HTTPStatus.CREATED)
    return project


def path_of(project: dict[str, Any]) -> str:
    return f"{PROJECTS}/{project['id']}"


def changed(api: ServedApi, member: Member, project: dict[str, Any], **fields: Any) -> dict[str, Any]:
    response: dict[str, Any] = ok(api.patch(path_of(project), fields, headers=member.bearer))
    return response


def test_a_project_that_says_no_more_has_defaults(api: ServedApi, member: Member) -> None:
    project = made(api, member)

    assert list(project) == PROJECT_KEYS
    assert project | {
        'slug': 'a-chair',
        'summary': 'Of ash.',
        'status': 'published',
        'published_at': project['created_at'],
        'tags': [],
        'cover_image': None,
        'position': 0,
        'toc': [],
        'reading_time_minutes': 1,
        'url': f"http://api.test/v1/projects/{project['id']}",
    } == project


def test_a_project_keeps_what_it_says(api: ServedApi, member: Member) -> None:
    project = made(
        api,
        member,
        body='# One\n\n## Two',
        slug='my-chair',
        summary='A summary',
        status='draft',
        published_at='2026-02-01T01:00:00+01:00',
        tags=['Wood', ' C++ '],
        cover_image='https://images.example/a.jpg',
        position=4,
    )

    assert project['slug'] == 'my-chair' and project['summary'] == 'A summary'
    assert project['status'] == 'draft' and project['published_at'] == '2026-02-01 00:00:00.000000'
    assert project['tags'] == ['wood', 'c++'] and project['position'] == 4
    assert project['cover_image'] == 'https://images.example/a.jpg'
    assert project['toc'] == [{
        'id': 'user-content-one',
        'text': 'One',
        'children': [{
            'id': 'user-content-two',
            'text': 'Two',
            'children': []
        }]
    }]


def test_a_project_is_shown_by_its_id_and_its_slug(api: ServedApi, member: Member) -> None:
    project = made(api, member, title='Größe')

    assert ok(api.get(path_of(project))) == project
    assert ok(api.get(f'{member.projects_path}/grosse')) == project
    assert ok(api.get(f'{member.projects_path}/grosse'.replace('Person', 'pERSON'))) == project


def test_a_slug_of_another_script_is_found(api: ServedApi, member: Member) -> None:
    project = made(api, member, title='Новый стул')

    assert ok(api.get(f'{member.projects_path}/новый-стул')) == project


@pytest.mark.parametrize(
    'hidden', [{
        'status': 'draft'
    }, {
        'published_at': FUTURE
    }], ids=['draft', 'scheduled']
)
def test_what_is_not_public_is_as_good_as_absent_for_others(
    api: ServedApi, member: Member, author: Member, hidden: dict[str, str]
) -> None:
    project = made(api, member, **hidden)
    gone = made(api, member)
    assert api.delete(path_of(gone), headers=member.bearer).status_code == HTTPStatus.NO_CONTENT
    slug_path = f"{member.projects_path}/{project['slug']}"

    assert ok(api.get(path_of(project), headers=member.bearer)) == project
    assert ok(api.get(slug_path, headers=member.bearer)) == project
    for headers in ({}, author.bearer):
        hidden_one = api.get(path_of(project), headers=headers)
        absent = api.get(path_of(gone), headers=headers)
        assert error_of(hidden_one, HTTPStatus.NOT_FOUND) == 'There is no such project'
        assert (hidden_one.content, hidden_one.headers.keys()) == (absent.content, absent.headers.keys())
        assert api.get(slug_path, headers=headers).content == absent.content
        assert ok(api.get(f'{member.projects_path}?status=all', headers=headers)) == []
    for method in (api.patch, api.delete):
        answers = [
            method(path, {'title': 'x'}, headers=author.bearer) for path in (path_of(project), path_of(gone))
        ]
        assert answers[0].content == answers[1].content
        assert error_of(answers[0], HTTPStatus.NOT_FOUND)
    assert ok(api.get(path_of(project), headers=member.bearer)) == project


def test_a_list_shows_its_owner_the_rest_when_asked(api: ServedApi, member: Member) -> None:
    public, draft = made(api, member), made(api, member, status='draft')
    scheduled = made(api, member, published_at=FUTURE)

    def listed(query: str) -> Any:
        return ok(api.get(member.projects_path + query, headers=member.bearer))

    assert listed('') == listed('?status=published') == [public]
    assert listed('?status=draft') == [draft]
    assert listed('?status=scheduled') == [scheduled]
    assert listed('?status=all') == [scheduled, draft, public]
    assert ok(api.get(f'{member.projects_path}?status=draft')) == []
    message = error_of(api.get(f'{member.projects_path}?status=x'), HTTPStatus.BAD_REQUEST)
    assert message == "'status' must be 'published', 'scheduled', 'draft' or 'all'"


def test_a_scheduled_project_becomes_public_by_itself(
    api: ServedApi, database: connection, member: Member
) -> None:
    project = made(api, member, published_at=FUTURE)

    statement = "UPDATE projects SET published_at = now() - interval '1 s' WHERE id = %s"
    assert execute(database, statement, project['id']) == 1

    assert ok(api.get(path_of(project)))['id'] == project['id']


def test_a_bad_token_is_refused_even_where_none_is_needed(api: ServedApi, member: Member) -> None:
    project = made(api, member)
    bad = {'Authorization': 'Bearer x'}

    for path in (path_of(project), member.projects_path, f'{member.projects_path}/a-chair'):
        assert error_of(api.get(path, headers=bad), HTTPStatus.FORBIDDEN) == 'Not enough segments'


def test_a_change_changes_what_it_names(api: ServedApi, member: Member) -> None:
    project = made(api, member, tags=['a'], position=2)

    after = changed(api, member, project, title='A table', body='Of *oak*.')

    assert TIME.fullmatch(after['updated_at']) and after['updated_at'] > project['created_at']
    assert after == project | {
        'title': 'A table',
        'body': 'Of *oak*.',
        'html': '<p>Of <em>oak</em>.</p>',
        'summary': 'Of oak.',
        'updated_at': after['updated_at'],
    }
    assert ok(api.get(path_of(project))) == after


@pytest.mark.parametrize('same', [{}, {
    'title': 'A chair',
    'body': 'Of *ash*.',
    'slug': 'a-chair',
}])
def test_a_change_of_nothing_leaves_it_unchanged(
    api: ServedApi, member: Member, same: dict[str, Any]
) -> None:
    project = made(api, member)

    assert changed(api, member, project, **same) == project


def test_null_takes_what_was_given_back(api: ServedApi, member: Member) -> None:
    project = made(
        api,
        member,
        slug='mine',
        summary='Mine',
        published_at=FUTURE,
        cover_image='https://images.example/a.jpg',
    )

    after = changed(api, member, project, slug=None, summary=None, published_at=None, cover_image=None)

    assert (after['slug'], after['summary'], after['cover_image']) == ('a-chair', 'Of ash.', None)
    assert after['published_at'] == after['updated_at']


def test_an_empty_text_is_null(api: ServedApi, member: Member) -> None:
    given = made(api, member, summary='Mine', cover_image='https://images.example/a.jpg')
    empty = {'summary': '', 'cover_image': ''}

    for project in made(api, member, **empty), changed(api, member, given, **empty):
        assert (project['summary'], project['cover_image']) == ('Of ash.', None)


@pytest.mark.parametrize(
    ('fields', 'hints'),
    [
        ({
            'draft': True
        }, "'draft' (did you mean 'status'?)"),
        ({
            'sumary': 'Mine',
            'wood': 'ash'
        }, "'sumary' (did you mean 'summary'?), 'wood'"),
        ({
            'featured_image': 'https://images.example/a.jpg'
        }, "'featured_image' (did you mean 'cover_image'?)"),
    ],
)
def test_an_unknown_field_is_refused_by_name(
    api: ServedApi, member: Member, fields: dict[str, Any], hints: str
) -> None:
    project = made(api, member)
    known = {'title': 'Other', 'body': 'Oak.'}
    before = ok(api.get(f'/v1/users/{member.person.username}/projects'))

    for response in (
        api.post(PROJECTS, known | fields, headers=member.bearer),
        api.patch(path_of(project), known | fields, headers=member.bearer),
    ):
        error = error_in(response, HTTPStatus.BAD_REQUEST)
        assert error['message'] == (
            f'Unknown field{"s" if len(fields) > 1 else ""} {hints}; this path takes \'title\', \'body\', '
            "'slug', 'summary', 'status', 'published_at', 'tags', 'cover_image', 'position'"
        )
        assert error['code'] == 'invalid_body'
        assert [detail['pointer'] for detail in error['details']] == [f'/{name}' for name in fields]
    assert ok(api.get(f'/v1/users/{member.person.username}/projects')) == before


def test_a_whole_project_can_be_sent_back(api: ServedApi, member: Member) -> None:
    project = made(api, member, body='# Oak\n\n<form>', summary='Mine', tags=['wood'])
    shown = ok(api.get(path_of(project)))

    assert changed(api, member, project, **project) == project
    after = changed(api, member, project, **shown | {'title': 'A stool', 'id': 0, 'html': ''})
    copy = made(api, member, **shown | {'slug': None})

    assert after | {'updated_at': None, 'warnings': project['warnings']} == project | {'title': 'A stool'}
    assert copy['html'] == project['html'] and copy['id'] != project['id']


@pytest.mark.parametrize(
    ('fields', 'message'),
    [
        ({'title': None}, "'title' must be a string"),
        ({'title': ' '}, "'title' must not be blank"),
        ({'body': None}, "'body' must be a string"),
        ({'body': 'x' * 300_000}, "'body' must have at most 256 KiB of text"),
        ({'slug': 5}, "'slug' must be a string"),
        ({'slug': 'A B'}, "'slug' may hold lower-case letters without accents and digits, and single '-' "
                          "between them, such as 'a-b'"),
        ({'summary': []}, "'summary' must be a string"),
        ({'status': 'hidden'}, "'status' must be 'draft' or 'published'"),
        ({'status': None}, "'status' must be 'draft' or 'published'"),
        ({'published_at': 'tomorrow'}, "'published_at' must be a time such as '2026-01-31 12:00:00.000000' "
                                       "or '2026-01-31T13:00:00+01:00'"),
        ({'published_at': '0001-01-01 00:00'}, "'published_at' must lie in the years 1970 to 2999"),
        ({'tags': None}, "'tags' must be an array"),
        ({'tags': 'a'}, "'tags' must be an array"),
        ({'tags': ['a', 1]}, "'tags.1' must be a string"),
        ({'tags': ['a\0']}, "'tags.0' must not contain a NUL character"),
        ({'tags': ['']}, "'tags' must have items of 1 to 40 characters"),
        ({'cover_image': 'ftp://a.example'}, "'cover_image' must be the URL of an uploaded image, or one "
                                             "that begins with 'https://'"),
        ({'position': '1'}, "'position' must be a whole number"),
        ({'position': 1.0}, "'position' must be a whole number"),
        ({'position': True}, "'position' must be a whole number"),
        ({'position': 10**30}, "'position' must be a whole number from 0 to 1000000"),
    ],
)  # yapf: disable
def test_a_field_that_breaks_a_rule_changes_nothing(
    api: ServedApi, member: Member, fields: dict[str, Any], message: str
) -> None:
    project = made(api, member)

    response = api.patch(path_of(project), {'title': 'Other'} | fields, headers=member.bearer)

    assert error_of(response, HTTPStatus.BAD_REQUEST) == message
    assert ok(api.get(path_of(project))) == project


def test_only_its_owner_changes_a_public_project(api: ServedApi, member: Member, author: Member) -> None:
    project = made(api, member)

    for method in (api.patch, api.delete):
        response = method(path_of(project), {'title': 'Mine'}, headers=author.bearer)
        assert error_of(response, HTTPStatus.FORBIDDEN) == 'This project belongs to somebody else'
        response = method(path_of(project), {'title': 'Mine'})
        assert error_of(response, HTTPStatus.FORBIDDEN) == 'No authorization header provided'
    assert ok(api.get(path_of(project))) == project


@pytest.mark.parametrize('id_', ['2147483647', '9999999999'])
def test_an_id_that_nothing_has_is_404(api: ServedApi, author: Member, id_: str) -> None:
    path = f'{PROJECTS}/{id_}'
    for response in (
        api.get(path),
        api.patch(path, {'title': 'x'}, headers=author.bearer),
        api.delete(path, headers=author.bearer),
    ):
        assert error_of(response, HTTPStatus.NOT_FOUND) == 'There is no such project'


def test_a_deleted_project_is_gone_and_its_slug_free(api: ServedApi, member: Member) -> None:
    project = made(api, member)
    changed(api, member, project, slug='other')

    response = api.delete(path_of(project), headers=member.bearer)

    assert (response.status_code, response.content) == (HTTPStatus.NO_CONTENT, b'')
    for path in (path_of(project), f'{member.projects_path}/other', f'{member.projects_path}/a-chair'):
        error_of(api.get(path), HTTPStatus.NOT_FOUND)
    error_of(api.delete(path_of(project), headers=member.bearer), HTTPStatus.NOT_FOUND)
    assert made(api, member)['slug'] == 'a-chair'


def test_an_old_slug_redirects_to_the_new_one(api: ServedApi, member: Member) -> None:
    project = made(api, member)
    changed(api, member, project, slug='new-chair')
    changed(api, member, project, slug='neuer-stuhl')

    for old in ('a-chair', 'new-chair'):
        response = api.get(f'{member.projects_path}/{old}', allow_redirects=False)
        assert response.status_code == HTTPStatus.PERMANENT_REDIRECT
        assert response.headers['Location'] == f'{member.projects_path}/neuer-stuhl'
        assert ok(api.get(f'{member.projects_path}/{old}'))['id'] == project['id']


def test_an_old_slug_of_a_draft_tells_nothing(api: ServedApi, member: Member) -> None:
    project = made(api, member, status='draft')
    changed(api, member, project, slug='new')

    error_of(api.get(f'{member.projects_path}/a-chair', allow_redirects=False), HTTPStatus.NOT_FOUND)


def test_a_slug_of_ones_other_project_is_a_conflict(api: ServedApi, member: Member) -> None:
    first, second = made(api, member), made(api, member)
    assert (first['slug'], second['slug']) == ('a-chair', 'a-chair-2')

    answers = [
        api.patch(path_of(second), {'slug': 'a-chair'}, headers=member.bearer),
        api.post(PROJECTS, {
            'title': 'x',
            'body': '',
            'slug': 'a-chair'
        }, headers=member.bearer),
    ]

    for response in answers:
        message = error_of(response, HTTPStatus.CONFLICT)
        assert message == "You have another project with the slug 'a-chair'"
    assert len(ok(api.get(member.projects_path))) == 2


def test_projects_of_one_title_published_at_once_have_slugs_apart(api: ServedApi, member: Member) -> None:
    with ThreadPoolExecutor(6) as pool:
        projects = list(pool.map(lambda _: made(api, member), range(12)))

    slugs = {project['slug'] for project in projects}
    assert slugs == {'a-chair', *(f'a-chair-{number}' for number in range(2, 13))}


def test_changes_of_different_fields_at_once_are_all_there(api: ServedApi, member: Member) -> None:
    project = made(api, member)
    new = {'title': 'New', 'body': '# New', 'tags': ['new'], 'position': 5, 'summary': 'New', 'slug': 'new'}
    changes: list[dict[str, Any]] = [{name: value} for name, value in new.items()]

    with ThreadPoolExecutor(len(changes)) as pool:
        list(pool.map(lambda fields: changed(api, member, project, **fields), changes))

    after = ok(api.get(path_of(project)))
    for fields in changes:
        assert after | fields == after
    assert after['html'] == '<h1 id="user-content-new">New</h1>'


def test_html_belongs_to_its_body_whichever_change_comes_last(api: ServedApi, member: Member) -> None:
    project = made(api, member)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: changed(api, member, project, body=f'*{number}*'), range(12)))

    after = ok(api.get(path_of(project)))
    assert after['html'] == f"<p><em>{after['body'].strip('*')}</em></p>"
    assert after['summary'] == after['body'].strip('*')


def test_a_picture_of_ones_own_may_be_the_cover_in_development_too(api: ServedApi, member: Member) -> None:
    url = f'http://api.test/v1/assets/files/{member.account["user"]["id"]}/images/{"a" * 64}.jpg'

    assert made(api, member, cover_image=url)['cover_image'] == url


def test_a_list_of_another_stays_as_it_is(api: ServedApi, member: Member) -> None:
    project = publish(api, member, 'A title', '')
    other = join(api)

    assert ok(api.get(member.projects_path, headers=other.bearer)) == [project]


def test_a_change_for_another_state_than_the_present_is_refused(api: ServedApi, member: Member) -> None:
    project = made(api, member)
    tag = api.get(path_of(project)).headers['ETag']
    after = ok(api.patch(path_of(project), {'title': 'First'}, headers=member.bearer | {'If-Match': tag}))

    for method in (api.patch, api.delete):
        refused = method(path_of(project), {'title': 'Second'}, headers=member.bearer | {'If-Match': tag})
        error_of(refused, HTTPStatus.PRECONDITION_FAILED)

    assert ok(api.get(path_of(project))) == after


def test_a_project_sent_twice_with_one_key_is_published_once(api: ServedApi, member: Member) -> None:
    headers = member.bearer | {'Idempotency-Key': 'once'}
    answers = [api.post(PROJECTS, {'title': 'x', 'body': ''}, headers=headers) for _ in range(2)]

    assert ok(answers[0], HTTPStatus.CREATED) == ok(answers[1], HTTPStatus.CREATED)
    assert len(ok(api.get(member.projects_path))) == 1
