"""`flask outbox`: list and retry unsent mail."""
from collections.abc import Callable
from datetime import UTC, datetime

import click

from talelio_backend.shared.mail.business import outbox
from talelio_backend.shared.presentation.command_options import Commands
from talelio_backend.shared.presentation.schemas import format_utc


def outbox_commands(unit_of_work: Callable[[], outbox.OutboxUnitOfWork]) -> Commands:
    commands = Commands('outbox', help='Manage mail that is pending or has failed.')

    @commands.command('list')
    def list_() -> None:
        """List pending and failed mail, oldest first."""
        with unit_of_work() as uow:
            mails = uow.outbox.list_unfinished()
        for mail in mails:
            subject = ' '.join(f'{name}={value}' for name, value in mail.payload.items())
            click.echo(
                f'{mail.id}  {mail.status:8}  {mail.kind} {subject}  queued {format_utc(mail.created_at)}  '
                f'tries {mail.tries}  {mail.last_error or ""}'.rstrip()
            )
        click.echo(f'{len(mails)} not sent')

    @commands.command('replay')
    @click.argument('id_', metavar='ID', type=int)
    def replay(id_: int) -> None:
        """Send a failed mail again."""
        outbox.replay(unit_of_work(), id_, datetime.now(UTC))
        click.echo(f'Mail {id_} is due now')

    return commands
