from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response

from talelio_backend.app_feed.business import feeds
from talelio_backend.app_feed.business.errors import FeedNotFound, NothingPublished
from talelio_backend.app_feed.business.ports import FeedUnitOfWork
from talelio_backend.app_feed.presentation import atom, json_feed, rss, sitemap
from talelio_backend.app_feed.presentation.links import Links
from talelio_backend.app_user.presentation.schemas import Username
from talelio_backend.shared.business.errors import Invalid
from talelio_backend.shared.presentation.operation import Media, described
from talelio_backend.shared.presentation.requests.query_parameters import Query, read_query

_UNKNOWN = Invalid("Unknown parameter 'page'; this path takes none")
_ERRORS = (FeedNotFound('maker'), _UNKNOWN)
_SITEMAP = Media(types=[sitemap.MEDIA_TYPE], example='<urlset>…</urlset>')


@dataclass(frozen=True, kw_only=True)
class FeedDependencies:
    unit_of_work: Callable[[], FeedUnitOfWork]
    key_of: feeds.KeyOf
    links: Links


def feed_routes(dependencies: FeedDependencies) -> Blueprint:
    routes = Blueprint('feeds', __name__, url_prefix='/v1')

    def add_feed(
        endpoint: str, title: str, file_name: str, media: Media, write: Callable[[feeds.Feed, Links], bytes]
    ) -> None:

        @routes.get(f'/users/<username>/{file_name}', endpoint=endpoint)
        @described(
            f"Show a user's newest projects as {title}", responses={HTTPStatus.OK: media}, errors=_ERRORS
        )
        def show_feed(username: Username) -> Response:
            read_query(Query)
            feed = feeds.feed_of_user(
                dependencies.unit_of_work(), dependencies.key_of, username, datetime.now(UTC)
            )
            return _respond(write(feed, dependencies.links), media.types[0], feed.changed_at)

    media = Media(types=[atom.MEDIA_TYPE], example='<feed xmlns="http://www.w3.org/2005/Atom">…</feed>')
    add_feed('show_atom', 'an Atom feed', atom.FILE_NAME, media, atom.write_atom)
    media = Media(types=[rss.MEDIA_TYPE], example='<rss version="2.0">…</rss>')
    add_feed('show_rss', 'an RSS feed', rss.FILE_NAME, media, rss.write_rss)
    example = {'version': 'https://jsonfeed.org/version/1.1', 'title': 'maker', 'items': []}
    media = Media(types=[json_feed.MEDIA_TYPE], example=example)
    add_feed('show_json_feed', 'a JSON Feed', json_feed.FILE_NAME, media, json_feed.write_json_feed)

    @routes.get(f'/users/<username>/{sitemap.FILE_NAME}')
    @described(
        "Show the pages of a user's projects as a sitemap",
        responses={HTTPStatus.OK: _SITEMAP},
        errors=_ERRORS,
    )
    def show_sitemap_of_user(username: Username) -> Response:
        read_query(Query)
        found = feeds.sitemap_of_user(dependencies.unit_of_work(), username, datetime.now(UTC))
        return _respond(
            sitemap.write_sitemap(found, dependencies.links), sitemap.MEDIA_TYPE, found.changed_at
        )

    @routes.get(f'/{sitemap.FILE_NAME}')
    @described(
        "Show the pages of everybody's projects as a sitemap",
        responses={HTTPStatus.OK: _SITEMAP},
        errors=[NothingPublished(), _UNKNOWN],
    )
    def show_sitemap() -> Response:
        read_query(Query)
        found = feeds.sitemap(dependencies.unit_of_work(), datetime.now(UTC))
        return _respond(
            sitemap.write_sitemap(found, dependencies.links), sitemap.MEDIA_TYPE, found.changed_at
        )

    return routes


def _respond(content: bytes, media_type: str, changed_at: datetime) -> Response:
    response = Response(content, mimetype=media_type)
    response.last_modified = changed_at
    return response
