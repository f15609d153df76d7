"""Sitemaps (https://www.sitemaps.org/protocol.html)."""
from datetime import datetime
from xml.etree.ElementTree import Element

from talelio_backend.app_feed.business.feeds import Sitemap
from talelio_backend.app_feed.presentation.atom import rfc_3339
from talelio_backend.app_feed.presentation.links import Links
from talelio_backend.app_feed.presentation.xml import add, document

FILE_NAME = 'sitemap.xml'
MEDIA_TYPE = 'application/xml'


def write_sitemap(sitemap: Sitemap, links: Links) -> bytes:
    root = Element('urlset', {'xmlns': 'http://www.sitemaps.org/schemas/sitemap/0.9'})
    # The template may give several users the same page.
    users: dict[str, datetime | None] = {}
    for username, changed_at in sitemap.users:
        users.setdefault(links.user(username), changed_at)
    for location, changed_at in users.items():
        _add_url(root, location, changed_at)
    for page in sitemap.pages:
        location = links.project(username=page.username, project_id=page.project_id, slug=page.slug)
        _add_url(root, location, page.changed_at)
    return document(root)


def _add_url(root: Element, location: str, changed_at: datetime | None) -> None:
    url = add(root, 'url')
    add(url, 'loc', location)
    if changed_at is not None:
        add(url, 'lastmod', rfc_3339(changed_at))
