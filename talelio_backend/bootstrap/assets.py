from functools import partial

from talelio_backend.app_asset.data.imaging.processor import (
    SandboxedImageProcessor,
    image_bulkhead,
    image_worker,
)
from talelio_backend.app_asset.presentation.asset_commands import asset_commands
from talelio_backend.app_asset.presentation.file_routes import file_routes
from talelio_backend.app_asset.presentation.multipart_files import UploadLimits
from talelio_backend.app_asset.presentation.routes import AssetDependencies, asset_routes, avatar_routes
from talelio_backend.bootstrap.container import Container
from talelio_backend.shared.workers.bulkhead import Bulkhead

# Concurrent uploads and deletions per worker process. Fewer than connections: each holds one while the store
# checks whether all files exist.
CHANGES_AT_ONCE = 8


def add_assets(container: Container) -> None:
    settings = container.settings
    work = container.metrics.work
    worker = container.register_worker(image_worker(notify=partial(work.count_process_event, 'pictures')))
    dependencies = AssetDependencies(
        unit_of_work=container.unit_of_work,
        idempotency=container.idempotency,
        processor=SandboxedImageProcessor(
            worker, settings.image_limits, image_bulkhead(observer=work.bulkhead('pictures'))
        ),
        store=container.store,
        avatar_url=container.avatar_url,
        access_tokens=container.access_tokens,
        upload_limits=UploadLimits(files=settings.image_max_files, bytes=settings.image_max_bytes),
        slot=Bulkhead(
            'changes of pictures',
            at_once=CHANGES_AT_ONCE,
            waiting=0,
            timeout=0,
            observer=work.bulkhead('picture_changes'),
        ).slot,
    )
    container.app.register_blueprint(asset_routes(dependencies))
    container.app.register_blueprint(avatar_routes(dependencies))
    if container.folder is not None:
        container.app.register_blueprint(file_routes(container.folder.locate))
    container.app.cli.add_command(asset_commands(container.unit_of_work, container.store))
