"""Pictures within texts: what a page is told of them, and texts that are rendered again."""
from contextlib import closing

from tests.e2e.conftest import Serve
from tests.support.answers import ok
from tests.support.database import connect, execute
from tests.support.flask_command import flask
from tests.support.members import Member, join, publish
from tests.support.served_api import ServedApi
from tests.support.uploads import new_picture, upload

LAZY = 'loading="lazy" decoding="async"'


def rendered_again(api: ServedApi, *options: str) -> tuple[int, str, str]:
    ended = flask(api.environ, 'projects', 'render', *options)
    return ended.returncode, ended.stdout, ended.stderr


def test_a_page_knows_an_uploaded_picture_before_it_is_there(api: ServedApi, author: Member) -> None:
    image, = upload(api, author, new_picture((1000, 500)))
    narrow, wide = [variant for variant in image['variants'] if variant['width'] in (320, 640)]

    project = publish(api, author, 'A chair', f'![chair]({image["url"]})\n\n![b](https://a.example/b.png)')

    sources = ', '.join(f'{each["url"]} {each["width"]}w' for each in [*image['variants'], image])
    assert (image['width'], image['height'], len(image['variants'])) == (1000, 500, 3)
    assert project['html'] == (
        f'<p><img src="{image["url"]}" alt="chair" {LAZY} width="1000" height="500"'
        f' srcset="{sources}" sizes="(min-width: 800px) 800px, 100vw"></p>\n'
        f'<p><img src="https://a.example/b.png" alt="b" {LAZY}></p>'
    )

    changed = ok(
        api.patch(
            f'/v1/projects/{project["id"]}', {'body': f'![]({wide["url"]}){{width=64}}'},
            headers=author.bearer
        )
    )

    assert changed['html'] == (
        f'<p><img src="{wide["url"]}" alt="" width="64" {LAZY} height="32"'
        f' srcset="{narrow["url"]} 320w, {wide["url"]} 640w" sizes="(min-width: 64px) 64px, 100vw"></p>'
    )


def test_what_an_earlier_release_rendered_is_rendered_again_and_what_cannot_be_is_named(
    serve: Serve, database_url: str
) -> None:
    api = serve(database_url)
    author = join(api)
    project = publish(api, author, 'A title', '*new*')
    other = publish(api, author, 'Another', '*other*')
    with closing(connect(database_url)) as database:
        execute(database, "UPDATE projects SET html = 'old', rendering = 0 WHERE id = %s", project['id'])
        execute(database, "UPDATE projects SET html = 'old' WHERE id = %s", other['id'])

    assert rendered_again(api) == (0, '1 rendered, 0 skipped because they changed meanwhile, 0 failed\n', '')

    assert ok(api.get(f'/v1/projects/{project["id"]}')) == project
    assert ok(api.get(f'/v1/projects/{other["id"]}'))['html'] == 'old'

    # Each of them takes five characters in HTML.
    too_long = '```\n' + '&' * 450_000
    with closing(connect(database_url)) as database:
        execute(database, 'UPDATE projects SET body = %s WHERE id = %s', too_long, project['id'])

    status, told, errors = rendered_again(api, '--all')

    assert (status, told) == (1, '1 rendered, 0 skipped because they changed meanwhile, 1 failed\n')
    assert errors.startswith(f'project {project["id"]}: ')
    assert ok(api.get(f'/v1/projects/{project["id"]}'))['html'] == project['html']
    assert ok(api.get(f'/v1/projects/{other["id"]}')) == other
