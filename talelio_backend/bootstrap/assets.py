from functools import partial

from talelio_backend.app_asset.data.imaging.processor import BoundedImageProcessor, image_worker
from talelio_backend.app_asset.presentation.asset_commands import asset_commands
from talelio_backend.app_asset.presentation.file_routes import file_routes
from talelio_backend.app_asset.presentation.multipart_files import UploadLimits
from talelio_backend.app_asset.presentation.routes import AssetParts, asset_routes, avatar_routes
from talelio_backend.bootstrap.ground import Ground
from talelio_backend.shared.data.turns import Turns

# Requests of a worker process that send or delete pictures. Fewer than there are connections, of which each
# holds one while the store is asked whether all files are there.
CHANGES_AT_ONCE = 8


def add_assets(ground: Ground) -> None:
    settings = ground.settings
    work = ground.metrics.work
    worker = ground.keep(image_worker(tell=partial(work.count_process_event, 'pictures')))
    parts = AssetParts(
        unit_of_work=ground.unit_of_work,
        idempotency=ground.idempotency,
        processor=BoundedImageProcessor(worker, settings.image_limits, observer=work.turns('pictures')),
        store=ground.store,
        avatar_url=ground.avatar_url,
        access_tokens=ground.access_tokens,
        upload_limits=UploadLimits(files=settings.image_max_files, bytes=settings.image_max_bytes),
        turn=Turns(
            'changes of pictures',
            at_once=CHANGES_AT_ONCE,
            waiting=0,
            patience=0,
            observer=work.turns('picture_changes'),
        ).turn,
    )
    ground.app.register_blueprint(asset_routes(parts))
    ground.app.register_blueprint(avatar_routes(parts))
    if ground.folder is not None:
        ground.app.register_blueprint(file_routes(ground.folder.locate))
    ground.app.cli.add_command(asset_commands(ground.unit_of_work, ground.store))
