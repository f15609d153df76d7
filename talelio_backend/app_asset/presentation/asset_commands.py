"""`flask assets`: finds and deletes files that faults have left behind."""
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain

import click
from flask.cli import AppGroup

from talelio_backend.app_asset.business.file_claims import delete_unclaimed
from talelio_backend.app_asset.business.ports import AssetUnitOfWork, ImageStore, StoredFile
from talelio_backend.app_asset.business.sweep import find_unclaimed, finish_deletions, group_by_owner
from talelio_backend.shared.business.errors import BusinessError

# The number of files to delete in a transaction. The owner cannot change images during one.
_BATCH = 30


def asset_commands(unit_of_work: Callable[[], AssetUnitOfWork], store: ImageStore) -> AppGroup:
    commands = AppGroup('assets', help='Manage stored images.')

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
        try:
            files = list(store.list())
            owners = group_by_owner(files, modified_before=datetime.now(UTC) - timedelta(hours=older_than))
            unclaimed: dict[int, list[StoredFile]] = {}
            with click.progressbar(owners.items(), label=f'{len(files)} files') as progress:
                for user_id, owned in progress:
                    unclaimed[user_id] = find_unclaimed(unit_of_work(), user_id, owned)
            if delete:
                _refuse_if_all(owners, unclaimed, even_all)
                _delete(unit_of_work, store, unclaimed)
            else:
                click.echo(f'Would free {_described(list(chain(*unclaimed.values())))}')
        except BusinessError as error:
            raise click.ClickException(error.message) from error

    return commands


def _refuse_if_all(
    owners: dict[int, list[StoredFile]], unclaimed: dict[int, list[StoredFile]], even_all: bool
) -> None:
    number = sum(len(files) for files in owners.values())
    if number and number == sum(len(files) for files in unclaimed.values()) and not even_all:
        raise click.ClickException(
            'The database claims none of these files. '
            'If it is the right one for this store, repeat with --even-all.'
        )


def _delete(
    unit_of_work: Callable[[], AssetUnitOfWork], store: ImageStore, unclaimed: dict[int, list[StoredFile]]
) -> None:
    batches = [(user_id, files[start:start + _BATCH]) for user_id, files in unclaimed.items()
               for start in range(0, len(files), _BATCH)]
    freed: list[StoredFile] = []
    failures: list[str] = []
    with click.progressbar(batches, label='Deleting') as progress:
        for user_id, files in progress:
            try:
                delete_unclaimed(unit_of_work(), store, user_id, [file.key for file in files])
                freed += files
            except BusinessError as error:
                # Continue with the other batches.
                failures.append(f'user {user_id}: {error.message}')
    click.echo(f'Freed {_described(freed)}')
    if failures:
        raise click.ClickException('; '.join(failures))
    finish_deletions(unit_of_work(), store)


def _described(files: Sequence[StoredFile]) -> str:
    return f'{sum(file.size for file in files) / 1_000_000:.1f} MB in {len(files)} files'
