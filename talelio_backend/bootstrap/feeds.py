from functools import partial

from talelio_backend.app_asset.business.image_urls import key_of
from talelio_backend.app_feed.presentation.addresses import Addresses
from talelio_backend.app_feed.presentation.change_routes import ChangeParts, change_routes
from talelio_backend.app_feed.presentation.feed_routes import FeedParts, feed_routes
from talelio_backend.bootstrap.ground import Ground


def add_feeds(ground: Ground) -> None:
    settings = ground.settings
    changes = ChangeParts(unit_of_work=ground.unit_of_work, api_base_url=settings.api_base_url)
    feeds = FeedParts(
        unit_of_work=ground.unit_of_work,
        key_of=partial(key_of, ground.store),
        addresses=Addresses(
            api_base_url=settings.api_base_url,
            site_project_url=settings.site_project_url,
            site_user_url=settings.site_user_url,
        ),
    )
    ground.app.register_blueprint(change_routes(changes))
    ground.app.register_blueprint(feed_routes(feeds))
