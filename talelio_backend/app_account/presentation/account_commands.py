"""The commands of `flask account`."""
import json
import sys
from collections.abc import Callable

import click

from talelio_backend.app_account.business.context import AccountContext
from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.use_cases import administration
from talelio_backend.app_account.presentation.dependencies import AccountDependencies
from talelio_backend.shared.presentation.command_options import Commands, json_option, operator
from talelio_backend.shared.presentation.schemas import format_utc

_password_option = click.option(
    '--password-stdin', is_flag=True, help='Read the password from the first line of standard input.'
)


def account_commands(dependencies: AccountDependencies) -> Commands:
    commands = Commands('account', help='Manage accounts.')

    @commands.command('create')
    @click.argument('email')
    @click.argument('username')
    @_password_option
    @json_option
    def create(email: str, username: str, password_stdin: bool, as_json: bool) -> None:
        """Create a verified account. The whitelist does not apply."""
        password = _password(password_stdin)
        account = administration.create(
            dependencies.context(operator()), email=email, username=username, password=password
        )
        _print(account, as_json, f'{account.email} can log in')

    def add_command(
        name: str, help_: str, use_case: Callable[[AccountContext, str], Account], outcome: str
    ) -> None:

        @commands.command(name, help=help_)
        @click.argument('email')
        @json_option
        def command(email: str, as_json: bool) -> None:
            account = use_case(dependencies.context(operator()), email)
            _print(account, as_json, f'{account.email} {outcome}')

    add_command('verify', 'Mark an account as verified.', administration.verify, 'is verified')
    add_command(
        'disable', 'Disable an account and end all of its sessions.', administration.disable_account,
        'is disabled'
    )
    add_command('enable', 'Enable a disabled account.', administration.enable_account, 'is enabled')

    @commands.command('set-password')
    @click.argument('email')
    @_password_option
    @json_option
    def set_password(email: str, password_stdin: bool, as_json: bool) -> None:
        """Set a new password and end all sessions."""
        password = _password(password_stdin)
        account = administration.set_password(dependencies.context(operator()), email, password)
        _print(account, as_json, f'{account.email} has a new password')

    @commands.command('delete')
    @click.argument('email')
    @click.option('--yes', is_flag=True, help='Do not ask for confirmation.')
    def delete(email: str, yes: bool) -> None:
        """Delete an account with its projects and images."""
        if not yes:
            click.confirm(f'Delete {email} and all of its data?', abort=True)
        account = administration.delete(dependencies.context(operator()), email)
        click.echo(f'{account.email} is deleted')

    @commands.command('show')
    @click.argument('email')
    @json_option
    def show(email: str, as_json: bool) -> None:
        """Show an account."""
        account = administration.show(dependencies.unit_of_work(), email)
        _print(account, as_json, _line(account))

    @commands.command('list')
    @json_option
    def list_(as_json: bool) -> None:
        """List all accounts, oldest first."""
        with dependencies.unit_of_work() as uow:
            accounts = uow.accounts.all()
        if as_json:
            click.echo(json.dumps([_row(account) for account in accounts], indent=2))
            return
        for account in accounts:
            click.echo(_line(account))
        click.echo(f'{len(accounts)} accounts')

    return commands


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip('\r\n')
    password: str = click.prompt('Password', hide_input=True, confirmation_prompt=True)
    return password


def _print(account: Account, as_json: bool, line: str) -> None:
    click.echo(json.dumps(_row(account), indent=2) if as_json else line)


def _row(account: Account) -> dict[str, object]:
    return {
        'id': account.id,
        'email': account.email,
        'username': account.user.username,
        'verified': account.verified,
        'disabled_at': account.disabled_at and format_utc(account.disabled_at),
        'created_at': format_utc(account.created_at),
        'updated_at': account.updated_at and format_utc(account.updated_at),
    }


def _line(account: Account) -> str:
    words = [str(account.id), account.email, account.user.username, format_utc(account.created_at)[:10]]
    words.append('verified' if account.verified else 'not verified')
    if account.disabled_at is not None:
        words.append(f'DISABLED {format_utc(account.disabled_at)[:19]}')
    return '  '.join(words)
