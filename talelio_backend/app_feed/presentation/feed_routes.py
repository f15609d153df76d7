from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response

from talelio_backend.app_feed.business import feeds
from talelio_backend.app_feed.business.errors import FeedNotFound, NothingPublished
from talelio_backend.app_feed.business.ports import FeedUnitOfWork
from talelio_backend.app_feed.presentation import atom, json_feed, rss, sitemap
from talelio_backend.app_feed.presentation.addresses import Addresses
from talelio_backend.app_user.presentation.schemas import Username
from talelio_backend.shared.business.errors import Invalid
from talelio_backend.shared.presentation.openapi_operation import Media, described
from talelio_backend.shared.presentation.request_query import Query, read_query

_UNKNOWN = Invalid("Unknown parameter 'page'; this path takes none")
_REQUEST_HEADERS = ('If-None-Match', 'If-Modified-Since')
_ANSWER_HEADERS = ('ETag', 'Last-Modified', 'Cache-Control')
_ERRORS = (FeedNotFound('maker'), _UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class FeedParts:
    unit_of_work: Callable[[], FeedUnitOfWork]
    # The key of a picture that was uploaded here, by its URL.
    key_of: feeds.KeyOf
    addresses: Addresses


def feed_routes(parts: FeedParts) -> Blueprint:
    routes = Blueprint('feeds', __name__, url_prefix='/v1')

    def feed_of(username: str) -> feeds.Feed:
        read_query(Query)
        return feeds.feed_of_user(parts.unit_of_work(), parts.key_of, username, datetime.now(UTC))

    @routes.get(f'/users/<username>/{atom.FILE_NAME}')
    @described(
        "Show a user's newest projects as an Atom feed",
        answers=_answers(atom.MEDIA_TYPE, '<feed xmlns="http://www.w3.org/2005/Atom">…</feed>'),
        errors=_ERRORS,
        request_headers=_REQUEST_HEADERS,
        answer_headers=_ANSWER_HEADERS,
    )
    def show_atom(username: Username) -> Response:
        feed = feed_of(username)
        return _answer(atom.write_atom(feed, parts.addresses), atom.MEDIA_TYPE, feed.changed_at)

    @routes.get(f'/users/<username>/{rss.FILE_NAME}')
    @described(
        "Show a user's newest projects as an RSS feed",
        answers=_answers(rss.MEDIA_TYPE, '<rss version="2.0">…</rss>'),
        errors=_ERRORS,
        request_headers=_REQUEST_HEADERS,
        answer_headers=_ANSWER_HEADERS,
    )
    def show_rss(username: Username) -> Response:
        feed = feed_of(username)
        return _answer(rss.write_rss(feed, parts.addresses), rss.MEDIA_TYPE, feed.changed_at)

    @routes.get(f'/users/<username>/{json_feed.FILE_NAME}')
    @described(
        "Show a user's newest projects as a JSON Feed",
        answers=_answers(
            json_feed.MEDIA_TYPE, {
                'version': 'https://jsonfeed.org/version/1.1',
                'title': 'maker',
                'items': []
            }
        ),
        errors=_ERRORS,
        request_headers=_REQUEST_HEADERS,
        answer_headers=_ANSWER_HEADERS,
    )
    def show_json_feed(username: Username) -> Response:
        feed = feed_of(username)
        return _answer(
            json_feed.write_json_feed(feed, parts.addresses), json_feed.MEDIA_TYPE, feed.changed_at
        )

    @routes.get(f'/users/<username>/{sitemap.FILE_NAME}')
    @described(
        "Show the pages of a user's projects as a sitemap",
        answers=_answers(sitemap.MEDIA_TYPE, '<urlset>…</urlset>'),
        errors=_ERRORS,
        request_headers=_REQUEST_HEADERS,
        answer_headers=_ANSWER_HEADERS,
    )
    def show_sitemap_of_user(username: Username) -> Response:
        read_query(Query)
        found = feeds.sitemap_of_user(parts.unit_of_work(), username, datetime.now(UTC))
        return _answer(sitemap.write_sitemap(found, parts.addresses), sitemap.MEDIA_TYPE, found.changed_at)

    @routes.get(f'/{sitemap.FILE_NAME}')
    @described(
        "Show the pages of everybody's projects as a sitemap",
        answers=_answers(sitemap.MEDIA_TYPE, '<urlset>…</urlset>'),
        errors=[NothingPublished(), _UNKNOWN],
        request_headers=_REQUEST_HEADERS,
        answer_headers=_ANSWER_HEADERS,
    )
    def show_sitemap() -> Response:
        read_query(Query)
        found = feeds.sitemap(parts.unit_of_work(), datetime.now(UTC))
        return _answer(sitemap.write_sitemap(found, parts.addresses), sitemap.MEDIA_TYPE, found.changed_at)

    return routes


def _answers(media_type: str, example: str | Mapping[str, Any]) -> Mapping[int, Media | None]:
    return {HTTPStatus.OK: Media(types=[media_type], example=example), HTTPStatus.NOT_MODIFIED: None}


def _answer(content: bytes, media_type: str, changed_at: datetime) -> Response:
    response = Response(content, mimetype=media_type)
    response.last_modified = changed_at
    return response
