"""Tests that all formats are valid and equivalent for any text that the database can store."""
from calendar import timegm
from datetime import timedelta
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from talelio_backend.app_feed.business.feeds import Cover, Entry, Feed, Sitemap
from talelio_backend.app_feed.business.ports import Page
from talelio_backend.app_feed.presentation.atom import write_atom
from talelio_backend.app_feed.presentation.json_feed import write_json_feed
from talelio_backend.app_feed.presentation.links import Links
from talelio_backend.app_feed.presentation.rss import write_rss
from talelio_backend.app_feed.presentation.sitemap import write_sitemap
from talelio_backend.app_user.business.user import User
from tests.support.feeds import assert_atom, assert_json_feed, assert_rss, assert_sitemap
from tests.support.samples import NOW, new_project


def portable(html: str, page: str) -> str:
    return html.replace('href="', f'href="{page}')


LINKS = Links(api_base_url='https://api.example.com', to_portable_html=portable)
SITE = Links(
    api_base_url='https://api.example.com',
    to_portable_html=portable,
    site_project_url='https://www.example.com/projects/{slug}',
    site_user_url='https://www.example.com/',
)
# All characters except NUL and surrogates.
TEXTS = st.text(st.characters(exclude_characters='\0', exclude_categories=['Cs']), max_size=30)
COVER = Cover(url='https://cdn.example.com/1/images/a.jpg', media_type='image/jpeg', size=12345)


def entry(title: str, html: str) -> Entry:
    project = new_project(1, title=title, slug='stühle')
    project.id, project.html, project.tags = 7, html, ['c++', 'ä & ö']
    project.given_summary, project.cover_image = title, COVER.url
    return Entry(project=project, published_at=NOW, changed_at=NOW + timedelta(hours=1), cover=COVER)


def feed(*entries: Entry) -> Feed:
    return Feed(user=User.create('Maker', NOW), entries=entries, changed_at=NOW + timedelta(days=1))


@given(TEXTS.map(lambda text: f'x{text}'), TEXTS.map(lambda text: f'<p>{text}'))
def test_any_text_gives_a_valid_feed(title: str, html: str) -> None:
    whole = feed(entry(title, html))

    assert_atom(write_atom(whole, LINKS))
    assert_rss(write_rss(whole, LINKS))
    item, = assert_json_feed(write_json_feed(whole, LINKS))['items']
    assert (item['title'], item['content_html']) == (title, html)


@pytest.mark.parametrize('links', [LINKS, SITE])
def test_an_empty_feed_is_valid(links: Links) -> None:
    assert not assert_atom(write_atom(feed(), links)).entries
    assert not assert_rss(write_rss(feed(), links)).entries
    assert not assert_json_feed(write_json_feed(feed(), links))['items']


def test_all_formats_have_the_same_content() -> None:
    whole = feed(entry('Ash & oak\b', '<p>Of <em>ash</em>\x1b &amp; "oak"</p>'))
    atom, = assert_atom(write_atom(whole, SITE)).entries
    rss, = assert_rss(write_rss(whole, SITE)).entries
    item, = assert_json_feed(write_json_feed(whole, SITE))['items']

    for found in atom, rss:
        assert unescape(found.title) == 'Ash & oak'
        assert found.content[0].value == '<p>Of <em>ash</em> &amp; "oak"</p>'
        assert found.id == 'https://api.example.com/v1/projects/7'
        assert found.link == 'https://www.example.com/projects/st%C3%BChle'
        assert [tag.term for tag in found.tags] == ['c++', 'ä & ö']
        enclosure, = found.enclosures
        assert (enclosure.href, enclosure.length, enclosure.type) == (COVER.url, '12345', 'image/jpeg')
        assert timegm(found.published_parsed) == int(NOW.timestamp())
    assert item['url'] == 'https://www.example.com/projects/st%C3%BChle'
    assert item['id'] == 'https://api.example.com/v1/projects/7'
    assert (item['image'], item['tags']) == (COVER.url, ['c++', 'ä & ö'])
    assert item['attachments'][0] == {'url': COVER.url, 'mime_type': 'image/jpeg', 'size_in_bytes': 12345}


@pytest.mark.parametrize(('summary', 'html', 'described'), [
    ('Of <ash> & oak', '<p>All</p>', 'Of &lt;ash&gt; &amp; oak'),
    (None, '<p>All</p>', '<p>All</p>'),
    (None, '', 'A chair'),
])
def test_the_description_of_an_rss_item_is_its_summary_or_all(
    summary: str | None, html: str, described: str
) -> None:
    described_entry = entry('A chair', html)
    described_entry.project.given_summary = summary

    item, = etree.fromstring(write_rss(feed(described_entry), LINKS)).iter('item')

    assert item.findtext('description') == described
    assert (item.findtext('{http://purl.org/rss/1.0/modules/content/}encoded') or None) == (summary and html)


def test_the_content_of_an_entry_without_a_text_is_its_title() -> None:
    bare = entry('A <chair>', '')
    bare.project.given_summary = None

    found, = assert_atom(write_atom(feed(bare), LINKS)).entries

    assert found.content[0].value == 'A &lt;chair&gt;'


def test_signs_of_markup_in_rss_are_written_as_its_profile_says() -> None:
    content = write_rss(feed(entry('Ash & <oak>', '<p>x</p>')), LINKS)

    assert b'<title>Ash &#x26; &#x3C;oak&gt;</title>' in content
    assert assert_rss(content).entries[0].title == 'Ash & <oak>'


def test_all_formats_resolve_addresses_against_the_page() -> None:
    whole = feed(entry('A chair', '<a href="#wood">Wood</a>'))
    atom, = assert_atom(write_atom(whole, SITE)).entries
    rss, = assert_rss(write_rss(whole, SITE)).entries
    item, = assert_json_feed(write_json_feed(whole, SITE))['items']

    for html in atom.content[0].value, rss.content[0].value, item['content_html']:
        assert html == '<a href="https://www.example.com/projects/st%C3%BChle#wood">Wood</a>'


def test_a_sitemap_contains_each_page_once() -> None:
    pages = [
        Page(username=name, project_id=id_, slug='ä', changed_at=NOW) for id_, name in ((1, 'a'), (2, 'b'))
    ]
    whole = Sitemap(users=[('a', NOW), ('b', None)], pages=pages, changed_at=NOW)
    site = Links(
        api_base_url='https://api.example.com',
        to_portable_html=portable,
        site_project_url='https://www.example.com/{username}/{slug}',
        site_user_url='https://www.example.com/',
    )

    assert assert_sitemap(write_sitemap(whole, LINKS)) == [
        'https://api.example.com/v1/users/a/projects', 'https://api.example.com/v1/users/b/projects',
        'https://api.example.com/v1/projects/1', 'https://api.example.com/v1/projects/2'
    ]
    assert assert_sitemap(write_sitemap(whole, site)) == [
        'https://www.example.com/', 'https://www.example.com/a/%C3%A4', 'https://www.example.com/b/%C3%A4'
    ]
