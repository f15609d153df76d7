"""RSS 2.0 (https://www.rssboard.org/rss-specification)."""
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from xml.etree.ElementTree import Element

from talelio_backend.app_feed.business.feeds import Entry, Feed
from talelio_backend.app_feed.presentation.links import Links
from talelio_backend.app_feed.presentation.xml import add, document

FILE_NAME = 'feed.rss'
MEDIA_TYPE = 'application/rss+xml'

_NAMESPACES = {
    'xmlns:atom': 'http://www.w3.org/2005/Atom',
    'xmlns:content': 'http://purl.org/rss/1.0/modules/content/',
    'xmlns:dc': 'http://purl.org/dc/elements/1.1/',
}


def write_rss(feed: Feed, links: Links) -> bytes:
    username = feed.user.username
    root = Element('rss', {'version': '2.0', **_NAMESPACES})
    channel = add(root, 'channel')
    add(channel, 'title', username)
    add(channel, 'link', links.user(username))
    add(channel, 'description', f'Projects of {username}')
    add(channel, 'lastBuildDate', _rfc_822(feed.changed_at))
    own = {'rel': 'self', 'type': MEDIA_TYPE, 'href': links.feed(username, FILE_NAME)}
    add(channel, 'atom:link', attributes=own)
    for entry in feed.entries:
        _add_item(channel, entry, username, links)
    # The profile's way to write them: https://www.rssboard.org/rss-profile#data-types-characterdata
    return document(root).replace(b'&amp;', b'&#x26;').replace(b'&lt;', b'&#x3C;')


def _add_item(channel: Element, entry: Entry, username: str, links: Links) -> None:
    project = entry.project
    url = links.project(username=username, project_id=project.id, slug=project.slug)
    item = add(channel, 'item')
    add(item, 'title', project.title)
    add(item, 'link', url)
    add(item, 'guid', links.identity(project), {'isPermaLink': 'false'})
    add(item, 'pubDate', _rfc_822(entry.published_at))
    # `author` must be an e-mail address.
    add(item, 'dc:creator', username)
    for tag in project.tags:
        add(item, 'category', tag)
    # Both are HTML. Readers that know only one know the description.
    if project.summary:
        add(item, 'description', escape(project.summary, quote=False))
    content = links.to_portable_html(project.html, url) or escape(project.title, quote=False)
    add(item, 'content:encoded' if project.summary else 'description', content)
    if entry.cover is not None:
        cover = entry.cover
        add(
            item, 'enclosure',
            attributes={'url': cover.url, 'length': str(cover.size), 'type': cover.media_type}
        )  # yapf: disable


def _rfc_822(time: datetime) -> str:
    return format_datetime(time.astimezone(UTC), usegmt=True)
