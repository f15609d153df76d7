"""What was published, changed or removed, told to whoever keeps a copy."""
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from psycopg2.extensions import connection

from talelio_backend.app_feed.business.following import Cursor
from tests.support import follow_changes
from tests.support.answers import PROJECT_KEYS, error_of, ok
from tests.support.database import execute
from tests.support.members import Member, join, publish
from tests.support.served_api import ServedApi
from tests.support.waiting import PATIENCE

CHANGES = '/v1/changes'


def end_of(api: ServedApi) -> str:
    page = ok(api.get(CHANGES, params={'limit': 1000}))
    while page['has_more']:
        page = ok(api.get(CHANGES, params={'limit': 1000, 'since': page['next']}))
    return str(page['next'])


def news(api: ServedApi, since: str) -> dict[str, Any]:
    page: dict[str, Any] = ok(api.get(CHANGES, params={'since': since}))
    assert list(page) == ['changes', 'next', 'has_more'] and page['has_more'] is False
    return page


def patch(api: ServedApi, member: Member, project: dict[str, Any], **fields: Any) -> dict[str, Any]:
    changed: dict[str, Any] = ok(api.patch(f"/v1/projects/{project['id']}", fields, headers=member.bearer))
    return changed


@pytest.fixture(name='cursor')
def _cursor(api: ServedApi) -> str:
    return end_of(api)


def test_what_happens_to_a_project_is_told(api: ServedApi, member: Member, cursor: str) -> None:
    project = publish(api, member, 'A chair', 'Of *ash*.')
    published = news(api, cursor)
    changed = patch(api, member, project, title='A stool')
    told_changed = news(api, published['next'])
    assert api.delete(f"/v1/projects/{project['id']}", headers=member.bearer).status_code == 204
    removed = news(api, told_changed['next'])

    assert published['changes'] == [{'id': project['id'], 'removed': False, 'project': project}]
    assert list(published['changes'][0]['project']) == PROJECT_KEYS
    assert told_changed['changes'] == [{'id': project['id'], 'removed': False, 'project': changed}]
    assert removed['changes'] == [{'id': project['id'], 'removed': True}]
    assert news(api, removed['next']) == {'changes': [], 'next': removed['next'], 'has_more': False}
    assert news(api, cursor)['changes'] == removed['changes']


def test_nothing_is_told_of_what_is_not_public(api: ServedApi, member: Member, cursor: str) -> None:
    for fields in {'status': 'draft'}, {'published_at': '2999-12-31 23:59:59.000000'}:
        body = {'title': 'A secret', 'body': 'Of *oak*.'} | fields
        ok(api.post('/v1/projects', body, headers=member.bearer), HTTPStatus.CREATED)

    assert news(api, cursor)['changes'] == []
    assert ok(api.get(CHANGES, params={'since': cursor}, headers=member.bearer))['changes'] == []


def test_what_becomes_a_draft_is_removed(api: ServedApi, member: Member, cursor: str) -> None:
    project = publish(api, member, 'A chair', '')
    patch(api, member, project, status='draft', title='A secret')

    assert news(api, cursor)['changes'] == [{'id': project['id'], 'removed': True}]


def test_what_is_scheduled_is_told_once_its_time_has_come(
    api: ServedApi, member: Member, cursor: str, database: connection
) -> None:
    project = publish(api, member, 'A chair', '')
    patch(api, member, project, published_at='2999-12-31 23:59:59.000000')
    put_off = news(api, cursor)
    # Its time comes.
    execute(database, 'SET session_replication_role = replica')
    execute(database, "UPDATE projects SET published_at = now() WHERE id = %s", project['id'])
    execute(database, 'UPDATE project_changes SET due_at = now() WHERE project_id = %s', project['id'])

    told, = news(api, put_off['next'])['changes']

    assert put_off['changes'] == [{'id': project['id'], 'removed': True}]
    assert (told['id'], told['removed'], told['project']['title']) == (project['id'], False, 'A chair')


def test_an_account_that_goes_takes_its_projects_along(
    api: ServedApi, cursor: str, database: connection
) -> None:
    member = join(api)
    project = publish(api, member, 'A chair', '')

    execute(database, 'DELETE FROM accounts WHERE id = %s', member.account['id'])

    assert news(api, cursor)['changes'] == [{'id': project['id'], 'removed': True}]


def test_a_link_leads_through_the_pages(api: ServedApi, member: Member, cursor: str) -> None:
    projects = [publish(api, member, f'Number {number}', '') for number in range(3)]
    first = api.get(CHANGES, params={'since': cursor, 'limit': 2})
    target = first.links['next']['url']
    second = api.get(target)

    assert ok(first)['has_more'] is True
    assert parse_qs(urlsplit(target).query) == {'since': [ok(first)['next']], 'limit': ['2']}
    assert 'next' not in second.links and ok(second)['has_more'] is False
    told = ok(first)['changes'] + ok(second)['changes']
    assert [change['project'] for change in told] == projects


@pytest.mark.parametrize('since', ['', '42', '%00', 'MS4w', 'x' * 5000, '\u0663'])
def test_what_is_no_cursor_is_refused(api: ServedApi, since: str) -> None:
    response = api.get(CHANGES, params={'since': since})

    assert error_of(response, HTTPStatus.BAD_REQUEST) == "'since' must be the 'next' of an answer before"


def test_a_cursor_that_is_too_old_or_of_elsewhere_is_gone(api: ServedApi, cursor: str) -> None:
    now = Cursor.parse(cursor)
    days = timedelta(days=92)
    old = Cursor(history=now.history, number=now.number, complete_on=now.complete_on - days)
    other = Cursor(history='0123abcd', number=0, complete_on=datetime.now(UTC).date())

    for each in old, other:
        response = api.get(CHANGES, params={'since': str(each)})
        assert error_of(response, HTTPStatus.GONE
                        ) == ("'since' is too old, or of another database: begin anew, without it")


@pytest.mark.parametrize(('parameters', 'message'), [
    ({'limit': '0'}, "'limit' must be a whole number from 1 to 1000"),
    ({'limit': '1001'}, "'limit' must be a whole number from 1 to 1000"),
    ({'before': '1'}, "Unknown parameter 'before'; this path takes 'since', 'limit'"),
    ({'since': ['a', 'b']}, "'since' must be given once"),
])  # yapf: disable
def test_other_parameters_are_refused(api: ServedApi, parameters: dict[str, Any], message: str) -> None:
    assert error_of(api.get(CHANGES, params=parameters), HTTPStatus.BAD_REQUEST) == message


# A copy that is kept in step


class Copy:
    """A folder, and the script that keeps it in step."""

    def __init__(self, api: ServedApi, folder: Path) -> None:
        self._api = api
        self.folder = folder

    def update(self) -> str:
        script = str(Path(follow_changes.__file__))
        return subprocess.run([sys.executable, script, self._api.url,
                               str(self.folder)],
                              capture_output=True,
                              text=True,
                              timeout=PATIENCE,
                              check=True).stdout

    @property
    def projects(self) -> dict[str, Any]:
        return {
            path.stem: json.loads(path.read_text(encoding='utf-8'))
            for path in self.folder.glob('*.json')
        }


@pytest.fixture(name='copy')
def _copy(api: ServedApi, tmp_path: Path) -> Iterator[Copy]:
    yield Copy(api, tmp_path / 'site')


def test_a_build_follows(api: ServedApi, member: Member, copy: Copy) -> None:
    kept, changed, removed, withdrawn = (publish(api, member, title, '') for title in 'ABCD')
    first_output = copy.update()
    before = copy.projects
    changed = patch(api, member, changed, title='E')
    withdrawn = patch(api, member, withdrawn, status='draft')
    api.delete(f"/v1/projects/{removed['id']}", headers=member.bearer)
    added = publish(api, member, 'F', '')

    output = copy.update()

    ours = {id_: project for id_, project in copy.projects.items() if project['user_id'] == kept['user_id']}
    assert first_output.startswith('everything: ')
    assert before[str(removed['id'])] == removed
    assert ours == {str(project['id']): project for project in (kept, changed, added)}
    assert output == 'what is new: 4 projects\n'
    assert copy.update() == 'what is new: 0 projects\n'


def test_a_build_begins_anew_when_its_cursor_is_gone(api: ServedApi, member: Member, copy: Copy) -> None:
    project = publish(api, member, 'A', '')
    copy.update()
    there = copy.projects
    other = Cursor(history='0123abcd', number=0, complete_on=datetime.now(UTC).date())
    (copy.folder / 'cursor').write_text(str(other), encoding='ascii')
    (copy.folder / '999999.json').write_text('{"title": "long gone"}', encoding='utf-8')

    assert copy.update().startswith('everything: ')

    assert copy.projects == there and str(project['id']) in there
