"""Feeds and sitemaps of what is public."""
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import pytest
import requests
from psycopg2.extensions import connection

from tests.support.answers import error_of, ok
from tests.support.database import execute
from tests.support.feeds import assert_atom, assert_json_feed, assert_rss, assert_sitemap
from tests.support.members import Member, join, publish
from tests.support.pictures import saved, scene
from tests.support.served_api import ServedApi

FEEDS = {
    'feed.atom': 'application/atom+xml',
    'feed.rss': 'application/rss+xml',
    'feed.json': 'application/feed+json',
    'sitemap.xml': 'application/xml',
}


def path_of(member: Member, name: str) -> str:
    return f'/v1/users/{member.person.username}/{name}'


def content(response: requests.Response) -> bytes:
    assert response.status_code == HTTPStatus.OK, response.text
    return response.content


@pytest.mark.parametrize(('name', 'media_type'), FEEDS.items())
def test_an_answer_has_its_media_type_and_can_be_asked_for_again(
    api: ServedApi, member: Member, database: connection, name: str, media_type: str
) -> None:
    project = publish(api, member, 'A chair', 'Of *ash*.')
    # Long ago, for a Last-Modified comes only after a second.
    for statement in (
        "UPDATE projects SET published_at = published_at - interval '1 hour' WHERE id = %s",
        "UPDATE project_changes SET changed_at = changed_at - interval '1 hour' WHERE project_id = %s",
    ):
        execute(database, statement, project['id'])
    execute(
        database, "UPDATE users SET created_at = created_at - interval '1 hour', updated_at = NULL "
        'WHERE id = %s', project['user_id']
    )
    first = api.get(path_of(member, name))
    tag, time = first.headers['ETag'], first.headers['Last-Modified']

    assert first.headers['Content-Type'].split(';')[0] == media_type
    assert datetime.now(UTC) - parsedate_to_datetime(time) < timedelta(hours=2)
    for condition in {'If-None-Match': tag}, {'If-Modified-Since': time}:
        assert api.get(path_of(member, name), headers=condition).status_code == HTTPStatus.NOT_MODIFIED
    api.delete(f"/v1/projects/{project['id']}", headers=member.bearer)
    for condition in {'If-None-Match': tag}, {'If-Modified-Since': time}:
        assert api.get(path_of(member, name), headers=condition).status_code == HTTPStatus.OK


def test_the_feeds_are_valid_and_hold_what_is_public_newest_first(api: ServedApi, member: Member) -> None:
    files = {'photo': ('a.jpg', saved(scene(64, 48), 'JPEG'))}
    cover = ok(api.request('POST', '/v1/assets/images', files=files, headers=member.bearer))['images'][0]

    def made(title: str, **fields: Any) -> dict[str, Any]:
        body = {'title': title, 'body': 'Of *ash*.', **fields}
        project: dict[str,
                      Any] = ok(api.post('/v1/projects', body, headers=member.bearer), HTTPStatus.CREATED)
        return project

    newest = made('Ash & <oak>', summary='\x08Ash.', tags=['wood'], cover_image=cover['url'])
    older = made('Older', published_at='2026-01-01 00:00:00.000000')
    made('A draft', status='draft')
    made('Scheduled', published_at='2999-01-01 00:00:00.000000')
    expected = [newest['url'], older['url']]

    atom = assert_atom(content(api.get(path_of(member, 'feed.atom'))))
    rss = assert_rss(content(api.get(path_of(member, 'feed.rss'))))
    json_feed = assert_json_feed(content(api.get(path_of(member, 'feed.json'))))
    own_map = assert_sitemap(content(api.get(path_of(member, 'sitemap.xml'))))
    whole_map = assert_sitemap(content(api.get('/v1/sitemap.xml')))

    assert [entry.id for entry in atom.entries] == [entry.id for entry in rss.entries] == expected
    assert [item['id'] for item in json_feed['items']] == expected
    assert own_map == [f'http://api.test/v1/users/{member.person.username}/projects', *expected]
    assert set(own_map) <= set(whole_map)
    for entry in atom.entries[0], rss.entries[0]:
        assert [(each.href, each.length, each.type) for each in entry.enclosures] == [
            (cover['url'], str(cover['bytes']), cover['type'])
        ]  # yapf: disable
        assert entry.content[0].value == newest['html']
    assert json_feed['items'][0]['attachments'][0]['size_in_bytes'] == cover['bytes']


def test_all_addresses_in_feeds_are_absolute(api: ServedApi, member: Member) -> None:
    files = {'photo': ('a.jpg', saved(scene(1200, 900), 'JPEG'))}
    picture = ok(api.request('POST', '/v1/assets/images', files=files, headers=member.bearer))['images'][0]
    project = publish(
        api, member, 'A chair', f'# Wood\n\n[up](#wood) ![a]({picture["url"]}) ![b](b.jpg)\n\n'
        '<video src="/a.mp4" poster="a.jpg"></video>'
    )

    atom = assert_atom(content(api.get(path_of(member, 'feed.atom'))))
    rss = assert_rss(content(api.get(path_of(member, 'feed.rss'))))
    json_feed = assert_json_feed(content(api.get(path_of(member, 'feed.json'))))

    for html in (
        atom.entries[0].content[0].value, rss.entries[0].content[0].value,
        json_feed['items'][0]['content_html']
    ):
        assert f'<a href="{project["url"]}#user-content-wood">' in html
        assert 'src="http://api.test/v1/projects/b.jpg"' in html and ' srcset="http' in html
        assert 'src="http://api.test/a.mp4" poster="http://api.test/v1/projects/a.jpg"' in html


def test_who_has_published_nothing_has_empty_feeds(api: ServedApi) -> None:
    member = join(api)

    assert not assert_atom(content(api.get(path_of(member, 'feed.atom')))).entries
    assert not assert_rss(content(api.get(path_of(member, 'feed.rss')))).entries
    assert not assert_json_feed(content(api.get(path_of(member, 'feed.json'))))['items']
    assert len(assert_sitemap(content(api.get(path_of(member, 'sitemap.xml'))))) == 1


@pytest.mark.parametrize('name', FEEDS)
def test_nobody_has_no_feed(api: ServedApi, name: str) -> None:
    response = api.get(f'/v1/users/nobody-here/{name}')

    assert error_of(
        response, HTTPStatus.NOT_FOUND
    ) == "There is no feed, since the user 'nobody-here' does not exist"
