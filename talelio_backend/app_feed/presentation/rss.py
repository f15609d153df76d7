"""RSS 2.0 (https://www.rssboard.org/rss-specification)."""
from datetime import UTC, datetime
from email.utils import format_datetime
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
    return document(root)


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
    if project.summary:
        add(item, 'description', project.summary)
    add(item, 'content:encoded', project.html)
    if entry.cover is not None:
        cover = entry.cover
        add(
            item, 'enclosure',
            attributes={'url': cover.url, 'length': str(cover.size), 'type': cover.media_type}
        )  # yapf: disable


def _rfc_822(time: datetime) -> str:
    return format_datetime(time.astimezone(UTC), usegmt=True)
