from http import HTTPStatus

from tests.e2e.conftest import Serve
from tests.support.answers import ok
from tests.support.members import Member, join, publish
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


def test_an_author_is_told_which_fields_front_matter_does_not_set(api: ServedApi, author: Member) -> None:
    body = '---\ntitle: A stool\ntags: [wood]\ndraft: true\n---\nAsh'
    warning = {'reason': 'front_matter', 'line': 1, 'text': 'title, tags, draft'}

    response = api.post('/v1/projects', {'title': 'A chair', 'body': body}, headers=author.bearer)

    project = ok(response, HTTPStatus.CREATED)
    assert project['warnings'] == [warning]
    assert (project['title'], project['tags'], project['status']) == ('A chair', [], 'published')
    assert (project['body'], project['html']) == (body, '<p>Ash</p>')
    again = api.patch(f'/v1/projects/{project["id"]}', {'body': body}, headers=author.bearer)
    assert ok(again)['warnings'] == [warning]


def test_settings_name_the_hosts_of_the_site_and_of_frames(serve: Serve, database_url: str) -> None:
    hosts = {'SITE_PROJECT_URL': 'https://www.site.example/{slug}', 'EMBED_HOSTS': 'video.example'}
    api = serve(database_url, hosts)
    body = (
        '[own](https://www.site.example/a) [other](https://other.example)\n\n'
        '<iframe src="https://video.example/1"></iframe>\n\n<iframe src="https://other.example"></iframe>'
    )

    project = publish(api, join(api), 'A chair', body)

    assert '<a href="https://www.site.example/a">own</a>' in project['html']
    assert '<a href="https://other.example" rel="noopener nofollow">other</a>' in project['html']
    assert project['html'].count('<iframe src="https://video.example/1" sandbox="') == 1
    assert project['html'].count('<iframe') == 1
    assert project['warnings'] == [{
        'reason': 'element_with_content',
        'line': 5,
        'text': '<iframe src="https://other.example">'
    }]
