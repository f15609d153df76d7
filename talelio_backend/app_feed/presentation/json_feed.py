"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""
import json
from typing import Any

from talelio_backend.app_feed.business.feeds import Entry, Feed
from talelio_backend.app_feed.presentation.atom import rfc_3339
from talelio_backend.app_feed.presentation.links import Links

FILE_NAME = 'feed.json'
MEDIA_TYPE = 'application/feed+json'


def write_json_feed(feed: Feed, links: Links) -> bytes:
    username = feed.user.username
    page = links.user(username)
    return json.dumps({
        'version': 'https://jsonfeed.org/version/1.1',
        'title': username,
        'home_page_url': page,
        'feed_url': links.feed(username, FILE_NAME),
        'authors': [{
            'name': username,
            'url': page
        }],
        'items': [_item(entry, username, links) for entry in feed.entries],
    }).encode()


def _item(entry: Entry, username: str, links: Links) -> dict[str, Any]:
    project, cover = entry.project, entry.cover
    url = links.project(username=username, project_id=project.id, slug=project.slug)
    item: dict[str, Any] = {
        'id': links.identity(project),
        'url': url,
        'title': project.title,
        'content_html': links.to_portable_html(project.html, url),
        'date_published': rfc_3339(entry.published_at),
        'date_modified': rfc_3339(entry.changed_at),
        'tags': project.tags,
    }
    if project.summary:
        item['summary'] = project.summary
    if project.cover_image is not None:
        item['image'] = project.cover_image
    if cover is not None:
        item['attachments'] = [{'url': cover.url, 'mime_type': cover.media_type, 'size_in_bytes': cover.size}]
    return item
