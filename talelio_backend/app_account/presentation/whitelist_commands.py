"""The commands of `flask whitelist`."""
import json
from collections.abc import Callable, Collection
from datetime import UTC, datetime

import click
from flask.cli import AppGroup

from talelio_backend.app_account.business.domain.whitelist_entry import WhitelistEntry
from talelio_backend.app_account.business.ports.accounts import AccountUnitOfWork
from talelio_backend.app_account.business.use_cases import whitelist
from talelio_backend.shared.presentation.command_options import AHEAD, operator, report_errors
from talelio_backend.shared.presentation.schemas import format_utc


def whitelist_commands(
    unit_of_work: Callable[[], AccountUnitOfWork], in_settings: Collection[str]
) -> AppGroup:
    commands = AppGroup(
        'whitelist', help='Manage the addresses that may register, besides those in WHITELISTED_EMAILS.'
    )

    @commands.command('add')
    @click.argument('email')
    @click.option('--note', default='', help='A note for the operator.')
    @click.option('--expires', type=AHEAD, help='12h, 30d, or 2026-01-31 (UTC). Never by default.')
    def add(email: str, note: str, expires: datetime | None) -> None:
        """Allow an address to register, or replace its note and expiry."""
        with report_errors():
            entry = whitelist.add(
                unit_of_work(),
                email=email,
                note=note,
                expires_at=expires,
                actor=operator(),
                now=datetime.now(UTC),
            )
        end = 'with no expiry' if entry.expires_at is None else f'until {format_utc(entry.expires_at)}'
        click.echo(f'{entry.email} may register, {end}')

    @commands.command('remove')
    @click.argument('email')
    @click.option('--disable-account', is_flag=True, help='Also disable the account with this address.')
    def remove(email: str, disable_account: bool) -> None:
        """Remove an address from the whitelist. An existing account stays enabled by default."""
        with report_errors():
            removal = whitelist.remove(
                unit_of_work(),
                email=email,
                disable_account=disable_account,
                actor=operator(),
                now=datetime.now(UTC),
            )
        click.echo(f'{removal.email} may not register any more')
        if removal.email in in_settings:
            click.echo('WHITELISTED_EMAILS still contains the address, so it may still register', err=True)
        click.echo(_account_line(removal))

    @commands.command('list')
    @click.option('--json', 'as_json', is_flag=True, help='Print JSON.')
    def list_(as_json: bool) -> None:
        """List all entries, including expired ones."""
        now = datetime.now(UTC)
        entries = whitelist.list_entries(unit_of_work())
        if as_json:
            rows = [_row(email) for email in sorted(in_settings)]
            rows += [_row(entry.email, entry, now) for entry in entries]
            click.echo(json.dumps(rows, indent=2))
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


def _row(email: str, entry: WhitelistEntry | None = None, now: datetime | None = None) -> dict[str, object]:
    return {
        'email': email,
        'source': 'settings' if entry is None else 'database',
        'note': '' if entry is None else entry.note,
        'added_at': None if entry is None else format_utc(entry.added_at),
        'expires_at': None if entry is None or entry.expires_at is None else format_utc(entry.expires_at),
        'expired': entry is not None and now is not None and not entry.admits(now),
    }


def _line(entry: WhitelistEntry, now: datetime) -> str:
    words = [entry.email, f'added {format_utc(entry.added_at)[:10]}']
    if entry.expires_at is not None:
        words.append(f'{"until" if entry.admits(now) else "EXPIRED"} {format_utc(entry.expires_at)[:19]}')
    return '  '.join([*words, entry.note]).rstrip()
