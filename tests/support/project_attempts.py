"""Every write of the API about projects, pictures and profiles, by the operation's id."""
from functools import partial
from uuid import uuid4

from tests.support.attempts import Attempt, Prepare, all_win, ids_of, once, one_wins, some_win
from tests.support.members import join, publish
from tests.support.served_api import ServedApi
from tests.support.uploads import AVATAR, IMAGES, new_picture, send, upload

PROJECTS = '/v1/projects'
_BODY = 'Some *text*'
# Each project with its place among the changes, and its revisions.
_PROJECTS = """
    SELECT count(DISTINCT projects.id), count(DISTINCT slug), count(project_changes)
    FROM projects LEFT JOIN project_changes ON project_changes.project_id = projects.id AND NOT removed
    WHERE projects.user_id = %(user)s
"""


def _publish(api: ServedApi) -> Attempt:
    member = join(api)
    return Attempt(
        send=partial(api.post, PROJECTS, {
            'title': 'A title',
            'body': _BODY
        }, headers=member.bearer),
        success=201,
        query=_PROJECTS,
        values=ids_of(member),
        after=lambda successes: (successes, successes, successes),
        late=frozenset({201}),
        answers=some_win(201, 503),
    )


def _publish_with_key(api: ServedApi) -> Attempt:
    member = join(api)
    headers = member.bearer | {'Idempotency-Key': str(uuid4())}
    return Attempt(
        send=partial(api.post, PROJECTS, {
            'title': 'A title',
            'body': _BODY
        }, headers=headers),
        success=201,
        query=_PROJECTS,
        values=ids_of(member),
        after=once((0, 0, 0), (1, 1, 1)),
        late=frozenset({201, 409}),
        answers=some_win(201, 409),
        # The key is in use, as long as it is not known that the first one is dead.
        unsure=frozenset({409}),
    )


def _change(api: ServedApi) -> Attempt:
    member = join(api)
    project = publish(api, member, 'Before', _BODY)
    return Attempt(
        send=partial(api.patch, f'{PROJECTS}/{project["id"]}', {'title': 'After'}, headers=member.bearer),
        success=200,
        query="""
            SELECT title, updated_at IS NOT NULL, (SELECT count(*) FROM project_revisions WHERE project_id = id)
            FROM projects WHERE id = %(project)s
        """,
        values={'project': project['id']},
        after=once(('Before', False, 0), ('After', True, 1)),
        late=frozenset({200}),
        answers=all_win(200),
    )


def _delete(api: ServedApi) -> Attempt:
    member = join(api)
    project = publish(api, member, 'A title', _BODY)
    return Attempt(
        send=partial(api.delete, f'{PROJECTS}/{project["id"]}', headers=member.bearer),
        success=204,
        query="""
            SELECT (SELECT count(*) FROM projects WHERE id = %(project)s),
                (SELECT count(*) FROM project_changes WHERE project_id = %(project)s AND removed)
        """,
        values={'project': project['id']},
        after=once((1, 0), (0, 1)),
        late=frozenset({404}),
        answers=one_wins(204, 404),
    )


def _restore(api: ServedApi) -> Attempt:
    member = join(api)
    project = publish(api, member, 'Before', _BODY)
    path = f'{PROJECTS}/{project["id"]}'
    api.patch(path, {'title': 'After'}, headers=member.bearer)
    return Attempt(
        send=partial(api.post, f'{path}/revisions/1/restore', headers=member.bearer),
        success=200,
        query="""
            SELECT title, (SELECT count(*) FROM project_revisions WHERE project_id = id)
            FROM projects WHERE id = %(project)s
        """,
        values={'project': project['id']},
        after=once(('After', 1), ('Before', 2)),
        late=frozenset({200}),
        answers=some_win(200, 503),
    )


def _change_profile(api: ServedApi) -> Attempt:
    member = join(api)
    return Attempt(
        send=partial(api.patch, '/v1/users/me', {'location': 'Bergen'}, headers=member.bearer),
        success=200,
        query='SELECT location, updated_at IS NOT NULL FROM users WHERE id = %(user)s',
        values=ids_of(member),
        after=once(('', False), ('Bergen', True)),
        late=frozenset({200}),
        answers=all_win(200),
    )


def _upload(api: ServedApi) -> Attempt:
    member = join(api)
    return Attempt(
        send=partial(send, api, member, new_picture()),
        success=200,
        query='SELECT count(*) FROM images WHERE user_id = %(user)s AND deleted_at IS NULL',
        values=ids_of(member),
        after=once((0, ), (1, )),
        late=frozenset({200}),
        answers=some_win(200, 503),
    )


def _delete_picture(api: ServedApi) -> Attempt:
    member = join(api)
    image, = upload(api, member, new_picture())
    return Attempt(
        send=partial(api.delete, f'{IMAGES}/{image["id"]}', headers=member.bearer),
        success=204,
        query='SELECT count(*) FROM images WHERE user_id = %(user)s AND deleted_at IS NULL',
        values=ids_of(member),
        after=once((1, ), (0, )),
        late=frozenset({204, 404}),
        answers=some_win(204, 404, 503),
    )


def _set_avatar(api: ServedApi) -> Attempt:
    member = join(api)
    return Attempt(
        send=partial(send, api, member, new_picture(), path=AVATAR, method='PUT'),
        success=200,
        query='SELECT count(avatar_digest) FROM users WHERE id = %(user)s',
        values=ids_of(member),
        after=once((0, ), (1, )),
        late=frozenset({200}),
        answers=some_win(200, 503),
    )


def _reset_avatar(api: ServedApi) -> Attempt:
    member = join(api)
    send(api, member, new_picture(), path=AVATAR, method='PUT')
    return Attempt(
        send=partial(api.delete, AVATAR, headers=member.bearer),
        success=200,
        query='SELECT count(avatar_digest) FROM users WHERE id = %(user)s',
        values=ids_of(member),
        after=once((1, ), (0, )),
        late=frozenset({200}),
        answers=some_win(200, 503),
    )


PROJECT_ATTEMPTS: dict[str, Prepare] = {
    'projects_publish': _publish,
    'projects_change': _change,
    'projects_delete': _delete,
    'revisions_restore': _restore,
    'users_change_own': _change_profile,
    'assets_upload': _upload,
    'assets_delete_own': _delete_picture,
    'avatar_set_avatar': _set_avatar,
    'avatar_reset_avatar': _reset_avatar,
}
WITH_KEYS: dict[str, Prepare] = {'projects_publish, with a key': _publish_with_key}
