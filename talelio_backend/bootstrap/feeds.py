from functools import partial

from talelio_backend.app_asset.business.image_urls import key_of
from talelio_backend.app_feed.presentation.change_routes import ChangeDependencies, change_routes
from talelio_backend.app_feed.presentation.feed_routes import FeedDependencies, feed_routes
from talelio_backend.app_feed.presentation.links import Links
from talelio_backend.app_project.data.rendering.portable_html import to_portable_html
from talelio_backend.bootstrap.container import Container


def add_feeds(container: Container) -> None:
    settings = container.settings
    changes = ChangeDependencies(unit_of_work=container.unit_of_work, api_base_url=settings.api_base_url)
    feeds = FeedDependencies(
        unit_of_work=container.unit_of_work,
        key_of=partial(key_of, container.store),
        links=Links(
            api_base_url=settings.api_base_url,
            to_portable_html=to_portable_html,
            site_project_url=settings.site_project_url,
            site_user_url=settings.site_user_url,
        ),
    )
    container.app.register_blueprint(change_routes(changes))
    container.app.register_blueprint(feed_routes(feeds))
