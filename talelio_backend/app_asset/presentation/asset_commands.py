"""`flask assets`: finds and deletes files that faults have left behind."""
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain

import click

from talelio_backend.app_asset.business.file_claims import delete_unclaimed
from talelio_backend.app_asset.business.ports import AssetUnitOfWork, ImageStore, StoredFile
from talelio_backend.app_asset.business.sweep import find_unclaimed, finish_deletions, group_by_owner
from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.presentation.command_options import Commands

# The number of files to delete in a transaction. The owner cannot change images during one.
_BATCH = 30


def asset_commands(unit_of_work: Callable[[], AssetUnitOfWork], store: ImageStore) -> Commands:
    commands = Commands('assets', help='Manage stored images.')

    @commands.command('sweep')
    @click.option('--delete', is_flag=True, help='Delete unclaimed files instead of counting them.')
    @click.option('--even-all', is_flag=True, help='Delete files even if all of them are unclaimed.')
    @click.option(
        '--older-than',
        metavar='HOURS',
        type=click.IntRange(0, 24 * 365),
        default=1,
        show_default=True,
        help='Ignore newer files, which may belong to an upload in progress.'
    )
    def sweep(delete: bool, even_all: bool, older_than: int) -> None:
        """Find unclaimed files."""
        click.echo(f'Images are stored in {store}')
        owners = group_by_owner(store.list(), modified_before=datetime.now(UTC) - timedelta(hours=older_than))
        unclaimed = {
            user_id: find_unclaimed(unit_of_work(), user_id, files)
            for user_id, files in owners.items()
        }
        if not delete:
            click.echo(f'Would free {_described(chain(*unclaimed.values()))}')
            return
        if owners and unclaimed == owners and not even_all:
            raise click.ClickException(
                'The database claims none of these files. '
                'If it is the right one for this store, repeat with --even-all.'
            )
        _delete(unit_of_work, store, unclaimed)
        finish_deletions(unit_of_work(), store)

    return commands


def _delete(
    unit_of_work: Callable[[], AssetUnitOfWork], store: ImageStore, unclaimed: dict[int, list[StoredFile]]
) -> None:
    freed: list[StoredFile] = []
    failures: list[str] = []
    for user_id, files in unclaimed.items():
        for start in range(0, len(files), _BATCH):
            batch = files[start:start + _BATCH]
            try:
                delete_unclaimed(unit_of_work(), store, user_id, [file.key for file in batch])
                freed += batch
            except BusinessError as error:
                # Continue with the other batches.
                failures.append(f'user {user_id}: {error.message}')
    click.echo(f'Freed {_described(freed)}')
    if failures:
        raise click.ClickException('; '.join(failures))


def _described(files: Iterable[StoredFile]) -> str:
    sizes = [file.size for file in files]
    return f'{sum(sizes) / 1_000_000:.1f} MB in {len(sizes)} files'
