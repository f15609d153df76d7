"""`flask doctor`: tells an operator what is wrong, and how to mend it."""
import json
from collections.abc import Callable
from dataclasses import asdict

import click

from talelio_backend.shared.business.checkup import Finding, Report, Status

_MARKS = {
    Status.OK: click.style('ok  ', fg='green'),
    Status.WARN: click.style('warn', fg='yellow'),
    Status.FAIL: click.style('FAIL', fg='red', bold=True),
}
_NAME_WIDTH = 22


def doctor_command(check_up: Callable[[], Report]) -> click.Command:

    @click.command('doctor')
    @click.option('--json', 'as_json', is_flag=True, help='Print one JSON object instead of lines.')
    @click.pass_context
    def doctor(context: click.Context, as_json: bool) -> None:
        """Check everything that the service needs, within half a minute.

        Ends with 1 if anything fails, and with 0 if there are only warnings.
        """
        report = check_up()
        if as_json:
            checks = [asdict(finding) for finding in report.findings]
            click.echo(json.dumps({'ok': report.ok, 'checks': checks}, indent=2))
        else:
            for finding in report.findings:
                _show(finding)
        context.exit(0 if report.ok else 1)

    return doctor


def _show(finding: Finding) -> None:
    click.echo(f'{_MARKS[finding.status]}  {finding.name:{_NAME_WIDTH}}  {_in_a_line(finding.found)}')
    if finding.mend is not None:
        click.echo(f'{"":{_NAME_WIDTH + 8}}-> {_in_a_line(finding.mend)}')


def _in_a_line(text: str) -> str:
    """What servers say may hold line breaks, or what a terminal obeys."""
    return ''.join(c if c.isprintable() else ascii(c)[1:-1] for c in ' '.join(text.split()))
