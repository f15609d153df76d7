from collections.abc import Collection
from functools import partial

from talelio_backend.app_asset.business.image_urls import ResponsiveImage, find_images, is_own_image
from talelio_backend.app_project.data.rendering.image_attributes import ImageAttributeRenderer
from talelio_backend.app_project.data.rendering.sandboxed_renderer import (
    SandboxedMarkdownRenderer,
    markdown_worker,
    text_bulkhead,
)
from talelio_backend.app_project.data.rendering.trusted_hosts import TrustedHosts
from talelio_backend.app_project.presentation.project_commands import project_commands
from talelio_backend.app_project.presentation.revision_routes import revision_routes
from talelio_backend.app_project.presentation.routes import ProjectDependencies, project_routes
from talelio_backend.bootstrap.container import Container


def add_projects(container: Container) -> None:
    settings, work = container.settings, container.metrics.work
    worker = container.register_worker(markdown_worker(notify=partial(work.count_process_event, 'texts')))

    def find_images_by_url(urls: Collection[str]) -> dict[str, ResponsiveImage]:
        return find_images(container.unit_of_work(), container.store, urls)

    renderer = ImageAttributeRenderer(
        SandboxedMarkdownRenderer(
            worker,
            TrustedHosts(own=settings.site_hosts, embedded=settings.embed_hosts),
            text_bulkhead(observer=work.bulkhead('texts')),
        ), find_images_by_url
    )
    dependencies = ProjectDependencies(
        unit_of_work=container.unit_of_work,
        read_session=container.read_session,
        idempotency=container.idempotency,
        renderer=renderer,
        access_tokens=container.access_tokens,
        is_own_image=partial(is_own_image, container.store),
        api_base_url=settings.api_base_url,
    )
    container.app.cli.add_command(project_commands(container.unit_of_work, renderer))
    container.app.register_blueprint(project_routes(dependencies))
    container.app.register_blueprint(revision_routes(dependencies))
