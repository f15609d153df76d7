"""Each operation that is for somebody is for nobody else: without a token, and with another account's."""
from http import HTTPStatus

import pytest

from tests.support.answers import error_of, ok
from tests.support.documented_api import document
from tests.support.members import Member, join, publish
from tests.support.served_api import ServedApi
from tests.support.uploads import IMAGES, new_picture, upload

# By the operation's id: method, path, and what it asks for.
OPERATIONS = {
    operation['operationId']: (method.upper(), path, operation['security'])
    for path, item in document()['paths'].items()
    for method, operation in item.items() if method in ('get', 'post', 'put', 'patch', 'delete')
}
# What anybody may do; where a token is optional, the owner sees more. Another one here is a decision.
PUBLIC = {
    'changes_changes', 'description_show_document', 'docs_show_page', 'docs_show_part',
    'email_changes_confirm', 'email_changes_revoke', 'email_changes_show_confirmation',
    'email_changes_show_revocation', 'error_pages_show', 'feeds_show_atom', 'feeds_show_json_feed', 'feeds_show_rss',
    'feeds_show_sitemap', 'feeds_show_sitemap_of_user', 'files_show', 'health_live', 'health_ready',
    'projects_list_of_user', 'projects_show', 'projects_show_by_slug', 'recovery_forgot', 'recovery_reset',
    'recovery_show', 'registration_claim', 'registration_register', 'registration_resend_verification',
    'registration_verify', 'registration_verify_by_token', 'sessions_log_in', 'sessions_log_out',
    'sessions_refresh', 'users_show'
}  # yapf: disable
PROTECTED = {name for name, (_, _, security) in OPERATIONS.items() if security == [{'bearerAuth': []}]}
# What belongs to somebody, and is named in the path.
OWNED = sorted(name for name in PROTECTED if '_id}' in OPERATIONS[name][1])
JSON = {
    'projects_change': {'title': 'Theirs now'},
    'projects_delete': None,
    'sessions_end_own': None,
}  # yapf: disable


def test_whatever_is_not_known_to_be_public_is_protected() -> None:
    assert OPERATIONS.keys() - PROTECTED == PUBLIC
    assert len(PROTECTED) > 20


@pytest.mark.parametrize('name', sorted(PROTECTED))
def test_a_protected_operation_is_refused_without_a_good_token(
    api: ServedApi, author: Member, name: str
) -> None:
    method, template, _ = OPERATIONS[name]
    path = template.replace('{project_id}', '1').replace('{session_id}', '1').replace('{image_id}', '1')
    path = path.replace('{number}', '1')

    absent = api.request(method, path)
    forged = api.request(method, path, headers={'Authorization': f'Bearer {author.token[:-4]}AAAA'})

    assert error_of(absent, HTTPStatus.FORBIDDEN) == 'No authorization header provided'
    assert error_of(forged, HTTPStatus.FORBIDDEN) == 'Signature verification failed'


@pytest.mark.parametrize('name', OWNED)
def test_what_is_somebody_elses_is_not_there_and_stays_as_it_is(
    api: ServedApi, member: Member, name: str
) -> None:
    owner = join(api)
    project = publish(api, owner, 'A title', 'text')
    draft = {'title': 'A draft', 'body': 'text', 'status': 'draft'}
    draft_id = ok(api.post('/v1/projects', draft, headers=owner.bearer), HTTPStatus.CREATED)['id']
    ok(api.patch(f'/v1/projects/{draft_id}', {'title': 'A draft still'}, headers=owner.bearer))
    image, = upload(api, owner, new_picture())
    session, = ok(api.get('/v1/accounts/sessions', headers=owner.bearer))
    method, template, _ = OPERATIONS[name]
    path = template.format(project_id=draft_id, session_id=session['id'], image_id=image['id'], number=1)

    response = api.request(method, path, json=JSON.get(name), headers=member.bearer)

    error_of(response, HTTPStatus.NOT_FOUND)
    assert ok(api.get(f'/v1/projects/{draft_id}', headers=owner.bearer))['title'] == 'A draft still'
    assert ok(api.get(owner.projects_path)) == [project]
    assert ok(api.get(IMAGES, headers=owner.bearer)) == [image]
    assert len(ok(api.get('/v1/accounts/sessions', headers=owner.bearer))) == 1
