"""`flask audit`: list security events."""
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from talelio_backend.shared.audit.business.audit_trail import (
    AuditUnitOfWork,
    EventKind,
    EventQuery,
    SecurityEvent,
)
from talelio_backend.shared.presentation.command_options import AGO, Commands, json_option
from talelio_backend.shared.presentation.schemas import format_utc


def audit_commands(
    unit_of_work: Callable[[], AuditUnitOfWork], account_id_of: Callable[[str], int]
) -> Commands:
    """`account_id_of` looks up an e-mail address in any spelling. It raises NotFound."""
    commands = Commands('audit', help='Show the audit trail of accounts.')

    @commands.command('list')
    @click.option(
        '--account', metavar='ID|EMAIL', help='Only events of this account. Use the id for a deleted one.'
    )
    @click.option(
        '--event',
        type=click.Choice([kind.value for kind in EventKind]),
        metavar='NAME',
        help='Only events of this kind.'
    )
    @click.option('--since', type=AGO, help='Only events since then: 90m, 12h, 7d, or 2026-01-31 (UTC).')
    @click.option('--limit', type=click.IntRange(1, 100_000), default=100, show_default=True)
    @json_option
    def list_(
        account: str | None, event: str | None, since: datetime | None, limit: int, as_json: bool
    ) -> None:
        """Show security events, newest first."""
        account_id = None if account is None else _account_id(account, account_id_of)
        kind = None if event is None else EventKind(event)
        query = EventQuery(account_id=account_id, kind=kind, since=since, limit=limit)
        with unit_of_work() as uow:
            events = uow.audit.find(query)
        if as_json:
            click.echo(json.dumps([_as_json(each) for each in events], indent=2))
            return
        for each in events:
            click.echo(_line(each))
        click.echo(f'{len(events)} events' + (', perhaps more: see --limit' if len(events) == limit else ''))

    return commands


def _account_id(text: str, account_id_of: Callable[[str], int]) -> int:
    if text.isascii() and text.isdigit() and int(text) < 2**31:
        return int(text)
    return account_id_of(text)


def _as_json(event: SecurityEvent) -> dict[str, Any]:
    return asdict(event) | {'occurred_at': format_utc(event.occurred_at)}


def _line(event: SecurityEvent) -> str:
    words = [format_utc(event.occurred_at)[:19], f'{event.kind:21}']
    if event.account_id is not None:
        words.append(f'account {event.account_id}')
    if event.actor != f'account {event.account_id}':
        words.append(f'by {event.actor}')
    if event.address or event.network:
        words.append(f'from {event.address or event.network}')
    words += [f'{name}={value}' for name, value in event.details.items()]
    if event.request_id:
        words.append(f'[{event.request_id}]')
    return '  '.join(words)
