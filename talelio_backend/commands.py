"""The `flask` command's entry point, which builds the application only when a command needs it."""
import logging

import click
from flask import Flask
from flask.cli import AppGroup

from talelio_backend.bootstrap.doctor import run_doctor
from talelio_backend.settings import ConfigurationError
from talelio_backend.shared.diagnostics.presentation.doctor_command import doctor_command


class _Commands(AppGroup):
    """`doctor` works even if the application cannot be built; other commands belong to the application."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or _built_app().cli.get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        own = super().list_commands(ctx)
        try:
            return [*own, *_built_app().cli.list_commands(ctx)]
        except click.ClickException as error:
            error.show()
            return own


def create_app() -> Flask:
    """Flask calls this by name: for the command line, and within its own commands, such as `routes`."""
    context = click.get_current_context(silent=True)
    if context is None or context.parent is not None:
        return _built_app()
    # The report covers what adapters log.
    logging.getLogger('talelio_backend').addHandler(logging.NullHandler())
    app = Flask('talelio_backend', static_folder=None)
    app.cli = _Commands(app.name)
    app.cli.add_command(doctor_command(run_doctor))
    return app


def _built_app() -> Flask:
    try:
        # The import reads the settings and starts the database.
        # pylint: disable-next=import-outside-toplevel
        from talelio_backend.wsgi import app
    except ConfigurationError as error:
        raise click.ClickException(f'{error}\nSee also: flask doctor') from error
    return app
