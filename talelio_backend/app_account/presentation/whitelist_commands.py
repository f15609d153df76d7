"""The commands of `flask whitelist`."""
import json
from collections.abc import Collection
from datetime import UTC, datetime

import click

from talelio_backend.app_account.business.domain.account import WhitelistEntry
from talelio_backend.app_account.business.use_cases import whitelist
from talelio_backend.app_account.presentation.dependencies import AccountDependencies
from talelio_backend.shared.presentation.command_options import AHEAD, Commands, json_option, operator
from talelio_backend.shared.presentation.schemas import format_utc

_SETTINGS_ROW: dict[str, object] = {
    'email': '',
    'source': 'settings',
    'note': '',
    'added_at': None,
    'expires_at': None,
    'expired': False
}


def whitelist_commands(dependencies: AccountDependencies, in_settings: Collection[str]) -> Commands:
    commands = Commands(
        'whitelist', help='Manage the addresses that may register, besides those in WHITELISTED_EMAILS.'
    )

    @commands.command('add')
    @click.argument('email')
    @click.option('--note', default='', help='A note for the operator.')
    @click.option('--expires', type=AHEAD, help='12h, 30d, or 2026-01-31 (UTC). Never by default.')
    def add(email: str, note: str, expires: datetime | None) -> None:
        """Allow an address to register, or replace its note and expiry."""
        context = dependencies.context(operator())
        entry = whitelist.add(context, email=email, note=note, expires_at=expires)
        end = 'with no expiry' if entry.expires_at is None else f'until {format_utc(entry.expires_at)}'
        click.echo(f'{entry.email} may register, {end}')

    @commands.command('remove')
    @click.argument('email')
    @click.option('--disable-account', is_flag=True, help='Also disable the account with this address.')
    def remove(email: str, disable_account: bool) -> None:
        """Remove an address from the whitelist. An existing account stays enabled by default."""
        context = dependencies.context(operator())
        removal = whitelist.remove(context, email=email, disable_account=disable_account)
        click.echo(f'{removal.email} may not register any more')
        if removal.email in in_settings:
            click.echo('WHITELISTED_EMAILS still contains the address, so it may still register', err=True)
        click.echo(_account_line(removal))

    @commands.command('list')
    @json_option
    def list_(as_json: bool) -> None:
        """List all entries, including expired ones."""
        now = datetime.now(UTC)
        with dependencies.unit_of_work() as uow:
            entries = uow.whitelist.all()
        if as_json:
            rows = [_SETTINGS_ROW | {'email': email} for email in sorted(in_settings)]
            click.echo(json.dumps(rows + [_row(entry, now) for entry in entries], indent=2))
            return
        for email in sorted(in_settings):
            click.echo(f'{email}  in WHITELISTED_EMAILS')
        for entry in entries:
            click.echo(_line(entry, now))
        click.echo(f'{len(in_settings) + len(entries)} addresses')

    return commands


def _account_line(removal: whitelist.Removal) -> str:
    account = removal.account
    if account is None:
        return 'No account has this address'
    if removal.disabled:
        return f'Account {account.id} is disabled, and its sessions have ended'
    if account.disabled_at is not None:
        return f'Account {account.id} was already disabled'
    return f'Account {account.id} is still enabled; to disable it, run: flask account disable {account.email}'


def _row(entry: WhitelistEntry, now: datetime) -> dict[str, object]:
    return {
        'email': entry.email,
        'source': 'database',
        'note': entry.note,
        'added_at': format_utc(entry.added_at),
        'expires_at': entry.expires_at and format_utc(entry.expires_at),
        'expired': not entry.admits(now),
    }


def _line(entry: WhitelistEntry, now: datetime) -> str:
    words = [entry.email, f'added {format_utc(entry.added_at)[:10]}']
    if entry.expires_at is not None:
        words.append(f'{"until" if entry.admits(now) else "EXPIRED"} {format_utc(entry.expires_at)[:19]}')
    return '  '.join([*words, entry.note]).rstrip()
