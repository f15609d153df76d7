from http import HTTPStatus

from tests.support.answers import ok
from tests.support.members import Member
from tests.support.served_api import ServedApi

BODY = 'Ash\n\n<form>and oak</form>'
WARNINGS = [{'reason': 'element', 'line': 3, 'text': '<form>'}]


def test_an_author_is_told_what_of_a_text_is_not_shown(api: ServedApi, author: Member) -> None:
    body = {'title': 'A chair', 'body': BODY}
    project = ok(api.post('/v1/projects', body, headers=author.bearer), HTTPStatus.CREATED)
    path = f'/v1/projects/{project["id"]}'

    assert project.pop('warnings') == WARNINGS
    # Readers are not.
    assert ok(api.get(path)) == project

    unrelated = ok(api.patch(path, {'title': 'A stool'}, headers=author.bearer))
    again = api.patch(path, {'body': f'{BODY}.'}, headers=author.bearer)
    assert again.headers['ETag'] == api.get(path).headers['ETag']
    mended = ok(
        api.patch(path, {'body': 'Ash'}, headers={
            **author.bearer, 'If-Match': again.headers['ETag']
        })
    )

    assert 'warnings' not in unrelated and 'warnings' not in mended
    assert ok(again)['warnings'] == WARNINGS
