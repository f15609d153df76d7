from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from requests import Response

from tests.fuzz.machines.project_machine import OWNERS
from tests.fuzz.machines.project_model import FUTURE, PAST, Fields, View
from tests.support.members import Member, join
from tests.support.served_api import ServedApi

_TIMES = {None: None, PAST: '2020-01-01 00:00:00.000000', FUTURE: '2999-01-01 00:00:00.000000'}


class ServedProjects:
    """Over HTTP, with people of its own. Each read comes twice, so that kept answers are looked at too."""

    def __init__(self, api: ServedApi) -> None:
        self._api = api
        self._members: dict[str, Member] = {name: join(api) for name in OWNERS}

    def publish(self, who: str, fields: Fields) -> View | str:
        return _view(self._api.post('/v1/projects', _body(fields), headers=self._bearer(who)))

    def change(self, who: str, project_id: int, fields: Fields) -> View | str:
        path = f'/v1/projects/{project_id}'
        return _view(self._api.patch(path, _body(fields), headers=self._bearer(who)))

    def restore(self, who: str, project_id: int, number: int) -> View | str:
        path = f'/v1/projects/{project_id}/revisions/{number}/restore'
        return _view(self._api.post(path, headers=self._bearer(who)))

    def delete(self, who: str, project_id: int) -> str | None:
        response = self._api.delete(f'/v1/projects/{project_id}', headers=self._bearer(who))
        return None if response.status_code == HTTPStatus.NO_CONTENT else _message(response)

    def show(self, reader: str | None, project_id: int) -> View | str:
        return _view(self._read(reader, f'/v1/projects/{project_id}'))

    def by_slug(self, reader: str | None, owner: str, slug: str) -> View | str:
        """An old slug leads on to the new one."""
        return _view(self._read(reader, f'{self._members[owner].projects_path}/{slug}'))

    def listing(self, reader: str | None, owner: str, status: str, word: str | None) -> list[View]:
        query = f'?status={status}' + (f'&q={word}' if word is not None else '')
        response = self._read(reader, self._members[owner].projects_path + query)
        assert response.status_code == HTTPStatus.OK, response.text
        return [_view_of(project) for project in response.json()]

    def revisions(self, who: str, project_id: int) -> list[tuple[int, str]] | str:
        response = self._read(who, f'/v1/projects/{project_id}/revisions')
        if response.status_code != HTTPStatus.OK:
            return _message(response)
        return [(entry['number'], entry['title']) for entry in response.json()]

    def _read(self, reader: str | None, path: str) -> Response:
        headers = self._bearer(reader)
        first, second = (self._api.get(path, headers=headers) for _ in range(2))
        assert (first.status_code, first.content) == (second.status_code, second.content)
        return second

    def _bearer(self, who: str | None) -> dict[str, str]:
        return {} if who is None else self._members[who].bearer


def _body(fields: Fields) -> dict[str, Any]:
    times = {name: _TIMES[fields[name]] for name in ('published_at', ) if name in fields}
    return {**fields, **times}


def _view(response: Response) -> View | str:
    return _view_of(response.json()) if response.ok else _message(response)


def _message(response: Response) -> str:
    return str(response.json()['error']['message'])


def _view_of(project: dict[str, Any]) -> View:
    published = project['published_at']
    now = datetime.now(UTC).strftime('%Y-%m-%d %H:%M:%S.%f')
    same = ('id', 'title', 'body', 'summary', 'slug', 'status', 'tags', 'position')
    return {
        **{
            name: project[name]
            for name in same
        },
        'published': None if published is None else PAST if published <= now else FUTURE,
        'changed': project['updated_at'] is not None,
    }
