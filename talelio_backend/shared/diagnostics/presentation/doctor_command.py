"""`flask doctor`: reports problems and how to fix them."""
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

import click

from talelio_backend.shared.diagnostics.business.checks import CheckResult, Status
from talelio_backend.shared.presentation.command_options import json_option

_MARKS = {
    Status.OK: click.style('ok  ', fg='green'),
    Status.WARN: click.style('warn', fg='yellow'),
    Status.FAIL: click.style('FAIL', fg='red', bold=True),
}
_NAME_WIDTH = 22


def doctor_command(run_doctor: Callable[[], Sequence[CheckResult]]) -> click.Command:

    @click.command('doctor')
    @json_option
    @click.pass_context
    def doctor(context: click.Context, as_json: bool) -> None:
        """Check the settings, the database, the image store and the mail server.

        Exits with 1 if anything fails, and with 0 if there are only warnings.
        """
        results = run_doctor()
        ok = all(result.status is not Status.FAIL for result in results)
        if as_json:
            checks = [asdict(result) for result in results]
            click.echo(json.dumps({'ok': ok, 'checks': checks}, indent=2))
        else:
            for result in results:
                _show(result)
        context.exit(0 if ok else 1)

    return doctor


def _show(result: CheckResult) -> None:
    click.echo(f'{_MARKS[result.status]}  {result.name:{_NAME_WIDTH}}  {_in_a_line(result.found)}')
    if result.remedy is not None:
        click.echo(f'{"":{_NAME_WIDTH + 8}}-> {_in_a_line(result.remedy)}')


def _in_a_line(text: str) -> str:
    """Escape line breaks and control characters, which messages of servers may contain."""
    return ''.join(c if c.isprintable() else ascii(c)[1:-1] for c in ' '.join(text.split()))
