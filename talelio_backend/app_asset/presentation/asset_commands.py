"""`flask assets`: what an operator can do about files that faults have left behind."""
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click
from flask.cli import AppGroup

from talelio_backend.app_asset.business.files import free
from talelio_backend.app_asset.business.ports import AssetUnitOfWork, ImageStore
from talelio_backend.app_asset.business.sweep import find_lost, find_unclaimed, group_by_owner
from talelio_backend.shared.business.errors import BusinessError


def asset_commands(unit_of_work: Callable[[], AssetUnitOfWork], store: ImageStore) -> AppGroup:
    commands = AppGroup('assets', help='Stored pictures.')

    @commands.command('sweep')
    @click.option('--delete', is_flag=True, help='Delete the files; without it they are only counted.')
    @click.option(
        '--older-than',
        metavar='HOURS',
        type=click.FloatRange(min=0),
        default=1.0,
        show_default=True,
        help='Leave younger files alone: they may belong to an upload that is under way.'
    )
    def sweep(delete: bool, older_than: float) -> None:
        """Find files that no picture claims, and pictures whose file is missing."""
        try:
            _sweep(unit_of_work, store, delete=delete, older_than=timedelta(hours=older_than))
        except BusinessError as error:
            raise click.ClickException(error.message) from error

    return commands


def _sweep(
    unit_of_work: Callable[[], AssetUnitOfWork], store: ImageStore, *, delete: bool, older_than: timedelta
) -> None:
    files = list(store.list())
    owners = group_by_owner(files, modified_before=datetime.now(UTC) - older_than)
    number = size = 0
    with click.progressbar(owners.items(), label=f'{len(files)} files') as progress:
        for user_id, owned in progress:
            unclaimed = find_unclaimed(unit_of_work(), user_id, owned)
            number += len(unclaimed.keys)
            size += unclaimed.size
            if delete:
                free(unit_of_work(), store, user_id, unclaimed.keys)
    verb = 'Freed' if delete else 'Would free'
    click.echo(f'{verb} {size / 1_000_000:.1f} MB in {number} files')
    for image in find_lost(unit_of_work(), store, {file.key for file in files}):
        click.echo(f'Missing: image {image.id} of user {image.user_id}, {image.key}')
