"""What a project was before: kept by each save, listed, shown and restored by its owner alone."""
from http import HTTPStatus
from typing import Any

import pytest

from tests.support.answers import TIME, error_of, ok
from tests.support.at_once import at_once
from tests.support.members import Member, publish
from tests.support.served_api import ServedApi


@pytest.fixture(name='project')
def _project(api: ServedApi, member: Member) -> dict[str, Any]:
    return publish(api, member, 'First', 'Of *äsh*.')


def path_of(project: dict[str, Any], *more: object) -> str:
    return '/'.join([f"/v1/projects/{project['id']}/revisions", *(str(part) for part in more)])


def change(api: ServedApi, member: Member, project: dict[str, Any], **fields: Any) -> dict[str, Any]:
    path = f"/v1/projects/{project['id']}"
    changed: dict[str, Any] = ok(api.patch(path, fields, headers=member.bearer))
    return changed


def listed(api: ServedApi, member: Member, project: dict[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = ok(api.get(path_of(project), headers=member.bearer))
    return entries


def shown(api: ServedApi, member: Member, project: dict[str, Any], number: int) -> dict[str, Any]:
    revision: dict[str, Any] = ok(api.get(path_of(project, number), headers=member.bearer))
    return revision


def test_each_save_keeps_what_was_there(api: ServedApi, member: Member, project: dict[str, Any]) -> None:
    assert listed(api, member, project) == []
    second = change(api, member, project, title='Second', summary='Said')
    change(api, member, project, tags=['wood'])
    change(api, member, project, body='New')

    entries = listed(api, member, project)
    assert [(each['number'], each['title'], each['size']) for each in entries] == [(2, 'Second', 10),
                                                                                   (1, 'First', 10)]
    assert entries[1]['created_at'] == project['created_at']
    assert entries[0]['created_at'] > second['created_at'] and TIME.fullmatch(entries[0]['created_at'])
    assert shown(api, member, project, 1) == {
        'number': 1,
        'created_at': project['created_at'],
        'title': 'First',
        'body': 'Of *äsh*.',
        'summary': None,
    }
    assert shown(api, member, project, 2)['summary'] == 'Said'


def test_a_list_has_pages(api: ServedApi, member: Member, project: dict[str, Any]) -> None:
    for title in ('Second', 'Third', 'Fourth'):
        change(api, member, project, title=title)

    page = api.get(f'{path_of(project)}?limit=2', headers=member.bearer)
    assert [each['number'] for each in ok(page)] == [3, 2]
    rest = api.get(page.links['next']['url'], headers=member.bearer)
    assert [each['number'] for each in ok(rest)] == [1] and 'Link' not in rest.headers
    for query, message in (
        ('limit=101', "'limit' must be a whole number from 1 to 100"),
        ('page=2', "Unknown parameter 'page'; this path takes 'limit', 'before'"),
    ):
        refused = api.get(f'{path_of(project)}?{query}', headers=member.bearer)
        assert error_of(refused, HTTPStatus.BAD_REQUEST) == message


def test_a_restored_state_is_rendered_and_can_be_taken_back(
    api: ServedApi, member: Member, project: dict[str, Any]
) -> None:
    before = change(api, member, project, title='Second', body='# New', summary='Said', tags=['wood'])

    restored = ok(api.post(path_of(project, 1, 'restore'), headers=member.bearer))

    assert restored == ok(api.get(f"/v1/projects/{project['id']}"))
    same = ('title', 'body', 'html', 'summary', 'toc', 'slug')
    assert {name: restored[name] for name in same} == {name: project[name] for name in same}
    assert restored['tags'] == ['wood'] and restored['updated_at'] > before['updated_at']
    back = ok(api.post(path_of(project, 2, 'restore'), headers=member.bearer))
    assert back | {'updated_at': before['updated_at']} == before
    assert [each['number'] for each in listed(api, member, project)] == [3, 2, 1]


def test_a_restore_for_another_state_than_the_present_is_refused(
    api: ServedApi, member: Member, project: dict[str, Any]
) -> None:
    path, restore = f"/v1/projects/{project['id']}", path_of(project, 1, 'restore')
    stale = api.get(path).headers['ETag']
    change(api, member, project, title='Second')
    current = api.get(path).headers['ETag']

    refused = api.post(restore, headers=member.bearer | {'If-Match': stale})
    error_of(refused, HTTPStatus.PRECONDITION_FAILED)
    assert ok(api.get(path))['title'] == 'Second'
    taken = api.post(restore, headers=member.bearer | {'If-Match': current})
    assert ok(taken)['title'] == 'First'


def test_a_restore_sent_again_is_answered_as_before(
    api: ServedApi, member: Member, project: dict[str, Any]
) -> None:
    change(api, member, project, title='Second')
    headers = member.bearer | {'Idempotency-Key': f"restore-{project['id']}"}
    first = api.post(path_of(project, 1, 'restore'), headers=headers)
    assert ok(first)['title'] == 'First'
    change(api, member, project, title='Third')

    again = api.post(path_of(project, 1, 'restore'), headers=headers)

    assert again.headers['Idempotency-Replayed'] == 'true' and again.content == first.content
    assert ok(api.get(f"/v1/projects/{project['id']}"))['title'] == 'Third'
    # Also where there is nothing to change.
    headers = member.bearer | {'Idempotency-Key': f"same-{project['id']}"}
    change(api, member, project, title='First')
    unchanged = [api.post(path_of(project, 1, 'restore'), headers=headers) for _ in range(2)]
    assert ok(unchanged[0]) == ok(unchanged[1])
    assert len(listed(api, member, project)) == 4


def test_saves_at_once_keep_one_revision_each(
    api: ServedApi, member: Member, project: dict[str, Any]
) -> None:
    bodies = [f'body {number}' for number in range(8)]

    at_once([lambda body=body: change(api, member, project, body=body)  # type: ignore[misc]
             for body in bodies])  # yapf: disable

    assert [each['number'] for each in listed(api, member, project)] == list(range(8, 0, -1))
    kept = [shown(api, member, project, number)['body'] for number in range(1, 9)]
    assert kept[0] == project['body']
    assert sorted([*kept[1:], ok(api.get(f"/v1/projects/{project['id']}"))['body']]) == bodies


@pytest.mark.parametrize(('status', 'refusal'), [('published', HTTPStatus.FORBIDDEN),
                                                 ('draft', HTTPStatus.NOT_FOUND)])
def test_others_see_and_restore_nothing(
    api: ServedApi, member: Member, author: Member, project: dict[str, Any], status: str, refusal: HTTPStatus
) -> None:
    change(api, member, project, title='Second', status=status)
    message = error_of(api.patch(f"/v1/projects/{project['id']}", {}, headers=author.bearer), refusal)

    for method, path in (
        ('GET', path_of(project)),
        ('GET', path_of(project, 1)),
        ('GET', path_of(project, 99)),
        ('POST', path_of(project, 1, 'restore')),
        ('POST', path_of(project, 99, 'restore')),
    ):
        assert error_of(api.request(method, path, headers=author.bearer), refusal) == message
        error_of(api.request(method, path), HTTPStatus.FORBIDDEN)
    assert ok(api.get(f"/v1/projects/{project['id']}", headers=member.bearer))['title'] == 'Second'


def test_what_is_not_there_is_not_found(api: ServedApi, member: Member, project: dict[str, Any]) -> None:
    for method, path in (('GET', path_of(project, 1)), ('POST', path_of(project, 1, 'restore'))):
        response = api.request(method, path, headers=member.bearer)
        assert error_of(response, HTTPStatus.NOT_FOUND) == 'There is no revision 1 of this project'
    change(api, member, project, title='Second')
    api.delete(f"/v1/projects/{project['id']}", headers=member.bearer)
    for method, path in (('GET', path_of(project)), ('GET', path_of(project, 1)),
                         ('POST', path_of(project, 1, 'restore'))):
        response = api.request(method, path, headers=member.bearer)
        assert error_of(response, HTTPStatus.NOT_FOUND) == 'There is no such project'


@pytest.mark.parametrize('body', ['', '{}'])
def test_restoring_wants_no_body(api: ServedApi, member: Member, project: dict[str, Any], body: str) -> None:
    change(api, member, project, title='Second')
    # As curl and axios send it.
    form = {'Content-Type': 'application/x-www-form-urlencoded'} if not body else {}

    response = api.post(path_of(project, 1, 'restore'), data=body, headers=member.bearer | form)

    assert ok(response)['title'] == 'First'


def test_restoring_takes_no_fields(api: ServedApi, member: Member, project: dict[str, Any]) -> None:
    second = change(api, member, project, title='Second')

    response = api.post(path_of(project, 1, 'restore'), {'status': 'draft'}, headers=member.bearer)

    assert error_of(response, HTTPStatus.BAD_REQUEST) == "Unknown field 'status'; this path takes none"
    assert ok(api.get(f"/v1/projects/{project['id']}")) == second
