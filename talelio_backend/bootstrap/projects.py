from collections.abc import Collection
from functools import partial

from talelio_backend.app_asset.business.image_urls import AddressedImage, find_images, is_own_image
from talelio_backend.app_project.data.bounded_markdown_renderer import (
    BoundedMarkdownRenderer,
    markdown_worker,
)
from talelio_backend.app_project.data.picture_dressing_renderer import PictureDressingRenderer
from talelio_backend.app_project.presentation.project_commands import project_commands
from talelio_backend.app_project.presentation.revision_routes import revision_routes
from talelio_backend.app_project.presentation.routes import ProjectParts, project_routes
from talelio_backend.bootstrap.ground import Ground


def add_projects(ground: Ground) -> None:
    work = ground.metrics.work
    worker = ground.keep(markdown_worker(tell=partial(work.count_process_event, 'texts')))

    def find_pictures(addresses: Collection[str]) -> dict[str, AddressedImage]:
        return find_images(ground.unit_of_work(), ground.store, addresses)

    renderer = PictureDressingRenderer(
        BoundedMarkdownRenderer(worker, observer=work.turns('texts')), find_pictures
    )
    parts = ProjectParts(
        unit_of_work=ground.unit_of_work,
        reading=ground.reading,
        idempotency=ground.idempotency,
        renderer=renderer,
        access_tokens=ground.access_tokens,
        is_own_image=partial(is_own_image, ground.store),
        api_base_url=ground.settings.api_base_url,
    )
    ground.app.cli.add_command(project_commands(ground.unit_of_work, renderer))
    ground.app.register_blueprint(project_routes(parts))
    ground.app.register_blueprint(revision_routes(parts))
