"""Helpers of CLI commands: time options, the operator's name, error reporting."""
import getpass
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from flask.cli import AppGroup

from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.business.errors import BusinessError

_UNITS = {'m': timedelta(minutes=1), 'h': timedelta(hours=1), 'd': timedelta(days=1)}


class Time(click.ParamType[datetime]):
    """A date or time in UTC, or a duration before or after now, such as `90m`, `12h` or `7d`."""

    name = 'time'

    def __init__(self, direction: int) -> None:
        self._direction = direction

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        span = re.fullmatch(r'([0-9]{1,5})([mhd])', value)
        if span:
            return datetime.now(UTC) + self._direction * int(span[1]) * _UNITS[span[2]]
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"'{value}' is neither like 90m, 12h or 7d nor a time such as 2026-01-31", param, ctx)
        return time if time.tzinfo else time.replace(tzinfo=UTC)


AGO = Time(-1)
AHEAD = Time(1)
json_option = click.option('--json', 'as_json', is_flag=True, help='Print JSON.')


def operator() -> Actor:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a user id without a name.
        name = 'unknown'
    return Actor(name=f'operator {name}')


class Commands(AppGroup):
    """Turns a BusinessError of its commands into a message and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BusinessError as error:
            raise click.ClickException(error.message) from error
