"""Atom (RFC 4287)."""
from datetime import UTC, datetime
from html import escape
from xml.etree.ElementTree import Element

from talelio_backend.app_feed.business.feeds import Entry, Feed
from talelio_backend.app_feed.presentation.links import Links
from talelio_backend.app_feed.presentation.xml import add, document

FILE_NAME = 'feed.atom'
MEDIA_TYPE = 'application/atom+xml'
_HTML = {'type': 'html'}


def write_atom(feed: Feed, links: Links) -> bytes:
    username = feed.user.username
    root = Element('feed', {'xmlns': 'http://www.w3.org/2005/Atom'})
    own_url = links.feed(username, FILE_NAME)
    add(root, 'id', own_url)
    add(root, 'title', username)
    add(root, 'updated', rfc_3339(feed.changed_at))
    add(root, 'link', attributes={'rel': 'self', 'type': MEDIA_TYPE, 'href': own_url})
    add(root, 'link', attributes={'rel': 'alternate', 'href': links.user(username)})
    author = add(root, 'author')
    add(author, 'name', username)
    add(author, 'uri', links.user(username))
    for entry in feed.entries:
        _add_entry(root, entry, username, links)
    return document(root)


def _add_entry(root: Element, entry: Entry, username: str, links: Links) -> None:
    project = entry.project
    url = links.project(username=username, project_id=project.id, slug=project.slug)
    element = add(root, 'entry')
    add(element, 'id', links.identity(project))
    # As HTML, since some readers take a plain `<` for the beginning of a tag.
    title = escape(project.title, quote=False)
    add(element, 'title', title, _HTML)
    add(element, 'link', attributes={'rel': 'alternate', 'href': url})
    if entry.cover is not None:
        link = {'rel': 'enclosure', 'href': entry.cover.url, 'type': entry.cover.media_type}
        add(element, 'link', attributes=link | {'length': str(entry.cover.size)})
    add(element, 'published', rfc_3339(entry.published_at))
    add(element, 'updated', rfc_3339(entry.changed_at))
    for tag in project.tags:
        add(element, 'category', attributes={'term': tag})
    if project.summary:
        add(element, 'summary', escape(project.summary, quote=False), _HTML)
    add(element, 'content', links.to_portable_html(project.html, url) or title, _HTML)


def rfc_3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec='microseconds').replace('+00:00', 'Z')
