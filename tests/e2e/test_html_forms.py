"""The forms in which a project's HTML is read: without highlighting, and with ids of its own."""
from http import HTTPStatus
from typing import Any

import pytest

from tests.support.answers import error_of, ok
from tests.support.members import Member, publish
from tests.support.served_api import ServedApi

BODY = '# Wood\n\n```python\nimport ash\n```'
HIGHLIGHTED = '<span class="kn">import</span>'
PLAIN = '<pre><code class="language-python">import ash\n</code></pre>'


@pytest.fixture(name='project')
def _project(api: ServedApi, member: Member) -> dict[str, Any]:
    return publish(api, member, 'A chair', BODY)


def paths_of(member: Member, project: dict[str, Any]) -> list[str]:
    return [
        f'/v1/projects/{project["id"]}', f'{member.projects_path}/{project["slug"]}', member.projects_path
    ]


def read(api: ServedApi, path: str) -> dict[str, Any]:
    content = ok(api.get(path))
    project: dict[str, Any] = content[0] if isinstance(content, list) else content
    return project


def test_every_read_has_each_form(api: ServedApi, member: Member, project: dict[str, Any]) -> None:
    own = f'user-content-{project["id"]}-wood'
    assert HIGHLIGHTED in project['html']

    # The second time from the cache.
    for path in paths_of(member, project) * 2:
        plain = read(api, f'{path}?highlight=false')
        unique = read(api, f'{path}?unique_ids=true')
        both = read(api, f'{path}?highlight=false&unique_ids=true')
        assert read(api, path) == read(api, f'{path}?highlight=true&unique_ids=false') == project
        assert PLAIN in plain['html'] and plain == project | {'html': plain['html']}
        assert f'<h1 id="{own}">' in unique['html'] and HIGHLIGHTED in unique['html']
        assert unique['toc'] == [{'id': own, 'text': 'Wood', 'children': []}]
        assert PLAIN in both['html'] and f'<h1 id="{own}">' in both['html']


def test_each_form_has_an_etag_of_its_own_for_reads_and_changes(
    api: ServedApi, member: Member, project: dict[str, Any]
) -> None:
    path = paths_of(member, project)[0]
    forms = ['', '?highlight=false', '?unique_ids=true', '?highlight=false&unique_ids=true']
    tags = [api.get(path + form).headers['ETag'] for form in forms]
    assert len({*tags}) == len(forms)

    for form, tag in zip(forms, tags):
        hit = api.get(path + form, headers={'If-None-Match': tag})
        assert hit.status_code == HTTPStatus.NOT_MODIFIED
    others = api.get(path, headers={'If-None-Match': ', '.join(tags[1:])})
    assert others.status_code == HTTPStatus.OK

    for form in forms:
        condition = {'If-Match': api.get(path + form).headers['ETag']}
        changed = api.patch(path, {'title': f'Read as {form}'}, headers=member.bearer | condition)
        assert ok(changed)['title'] == f'Read as {form}'
        again = api.patch(path, {'title': 'Too late'}, headers=member.bearer | condition)
        error_of(again, HTTPStatus.PRECONDITION_FAILED)


def test_an_old_slug_leads_to_the_same_form(api: ServedApi, member: Member, project: dict[str, Any]) -> None:
    by_id, path, _ = paths_of(member, project)
    ok(api.patch(by_id, {'slug': 'a-stool'}, headers=member.bearer))

    response = api.get(f'{path}?highlight=false', allow_redirects=False)

    assert response.status_code == HTTPStatus.PERMANENT_REDIRECT
    assert response.headers['Location'].endswith('/a-stool?highlight=false')


@pytest.mark.parametrize(
    ('query', 'message'),
    [
        ('highlight=no', "'highlight' must be 'true' or 'false'"),
        ('highlight=', "'highlight' must be 'true' or 'false'"),
        ('unique_ids=1', "'unique_ids' must be 'true' or 'false'"),
        ('highlight=true&highlight=false', "'highlight' must be given once"),
        ('highlght=false', "Unknown parameter 'highlght'; this path takes 'highlight', 'unique_ids'"),
    ],
)
def test_a_form_that_there_is_not_is_refused(
    api: ServedApi, member: Member, project: dict[str, Any], query: str, message: str
) -> None:
    for path in paths_of(member, project):
        assert error_of(api.get(f'{path}?{query}'), HTTPStatus.BAD_REQUEST).startswith(message)
