"""Runs PostgreSQL as an ordinary user: it refuses to run as root, as in many containers."""
import logging
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from talelio_backend.development.embedded_postgres.programs import EmbeddedPostgresError, copy_programs

# pg_ctl and initdb start `postgres` in a shell, which interprets these inside double quotes.
_NOT_FOR_A_SHELL = frozenset('"$`\\\n')

# Other variables may be PG* variables that affect the server, or secrets.
_ALLOWED_VARIABLES = ('PATH', 'LD_LIBRARY_PATH')

_LOGGER = logging.getLogger(__name__)

_NOTE = 'where-the-data-are.txt'


@dataclass(frozen=True, kw_only=True)
class ProgramRunner:
    """The folders of a server, and the user that runs its programs."""
    home: Path
    programs: Path
    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    @property
    def owner(self) -> int:
        return os.geteuid() if self.user is None else self.user

    def run(self, *command: str | Path, keep_open: Sequence[int] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, *command],
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else (),
            # The current directory may be inaccessible to the other user.
            cwd=self.home,
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
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group, follow_symlinks=False)


# Takes the folder and the installation; raises EmbeddedPostgresError if it does not work here.
RunnerFactory = Callable[[Path, Path], ProgramRunner]


def as_self(folder: Path, installation: Path) -> ProgramRunner:
    return _checked(ProgramRunner(home=folder, programs=installation / 'bin'))


def in_user_namespace(folder: Path, installation: Path) -> ProgramRunner:
    """Map the user to another user id, so that no file has to move or change its owner.

    https://man7.org/linux/man-pages/man7/user_namespaces.7.html
    """
    unshare = shutil.which('unshare')
    if unshare is None:
        raise EmbeddedPostgresError('`unshare` is not installed')
    account = _ordinary_account()
    numbers = (f'--map-user={account.pw_uid}', f'--map-group={account.pw_gid}')
    return _checked(
        ProgramRunner(
            home=folder,
            programs=installation / 'bin',
            prefix=(unshare, '--user', *numbers, '--'),
        )
    )


def as_other_user(
    folder: Path,
    installation: Path,
    places: Iterable[Path] = (Path('/var/lib'), Path('/var/tmp')),
) -> ProgramRunner:
    """Run as another user, with the data and programs in a place accessible to that user.

    Only the data folder and the log belong to that user. Root owns the parent folders, so that other
    programs of that user cannot plant symbolic links there.
    """
    if os.geteuid() != 0:
        raise EmbeddedPostgresError('only root can run programs as another user')
    account = _ordinary_account()
    if (folder / 'data').exists():
        raise EmbeddedPostgresError(
            f'root created the data in {folder} in a user namespace, and {account.pw_name} cannot '
            'use it; move that folder away to start with an empty database'
        )
    shelves = [place.resolve() / 'talelio-postgres' for place in places]
    # Not derived from the folder: a deleted and recreated folder should have an empty database.
    name = secrets.token_hex(8)
    noted = _noted_home(folder)
    if noted and noted.parent not in shelves:
        raise EmbeddedPostgresError(f'{noted}, named in {folder / _NOTE}, is not a valid data folder')
    if noted and not noted.exists():
        _LOGGER.warning('%s, which contained the data of %s, is missing.', noted, folder)
    homes = [noted] if noted else [shelf / name for shelf in shelves]
    reasons = []
    for home in homes:
        try:
            for shelf in (home.parent, home):
                _make_roots_own(shelf)
            runner = ProgramRunner(
                home=home,
                programs=copy_programs(installation, home),
                user=account.pw_uid,
                group=account.pw_gid,
            )
            _checked(runner, writable=False)
        except (EmbeddedPostgresError, OSError) as error:
            reasons.append(f'{home}: {error}')
            if not noted:
                shutil.rmtree(home, ignore_errors=True)
        else:
            _write_note(folder, home, account.pw_name)
            return runner
    raise EmbeddedPostgresError('; '.join(reasons))


def choose_runner(folder: Path, installation: Path) -> ProgramRunner:
    """Return the first runner that works here; for existing data, only the one that created it."""
    if os.geteuid() != 0 and _has_account(os.geteuid()):
        return as_self(folder, installation)
    ways: list[tuple[str, RunnerFactory]] = [('as another user', as_other_user)]
    if not (folder / _NOTE).exists():
        ways.insert(0, ('in a user namespace', in_user_namespace))
    reasons = []
    for title, way in ways:
        try:
            return way(folder, installation)
        except EmbeddedPostgresError as error:
            reasons.append(f'- {title}: {error}')
    raise EmbeddedPostgresError(
        'PostgreSQL runs neither as root nor as a user without a name, and no alternative works '
        'here. Set DATABASE_URL to a PostgreSQL of your own, or fix one of these:\n' + '\n'.join(reasons)
    )


def _has_account(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _ordinary_account() -> pwd.struct_passwd:
    accounts = [account for account in pwd.getpwall() if account.pw_uid != 0]
    if not accounts:
        # initdb requires a name for the user id.
        raise EmbeddedPostgresError('the system has no user except root')
    return next((account for account in accounts if account.pw_name == 'nobody'), accounts[0])


def _checked(runner: ProgramRunner, *, writable: bool = True) -> ProgramRunner:
    for path in (runner.home, runner.programs):
        if _NOT_FOR_A_SHELL.intersection(str(path)):
            raise EmbeddedPostgresError(
                f'PostgreSQL cannot start from {path}: a path must not contain " $ ` \\ or a newline'
            )
    reach = '&& test -w "$2" -a -x "$2"' if writable else ''
    try:
        trial = runner.run(
            'sh', '-c', f'"$1" --version {reach}', 'sh', runner.programs / 'postgres', runner.home
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(
            f'a trial run failed: {error.strerror if isinstance(error, OSError) else error}'
        ) from error
    if trial.returncode != 0:
        complaint = trial.stderr.strip() or f'{runner.home} is not accessible'
        raise EmbeddedPostgresError(f'a trial run failed: {complaint}')
    return runner


def _make_roots_own(folder: Path) -> None:
    folder.mkdir(mode=0o755, exist_ok=True)
    state = folder.lstat()
    # In a world-writable folder, another user may have created it.
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != 0 or state.st_mode & 0o022:
        raise EmbeddedPostgresError('it exists, but is not a folder that only root can write to')
    folder.chmod(0o755)


def _noted_home(folder: Path) -> Path | None:
    note = folder / _NOTE
    if not note.exists():
        return None
    noted_folder, home = note.read_text(encoding='utf-8').splitlines()[-2:]
    if noted_folder != str(folder):
        # Two folders with separate locks must not share data.
        raise EmbeddedPostgresError(
            f'{folder} was previously {noted_folder}. If you moved it, write the new path into '
            f'{note}; if you copied it, delete that file to start with an empty database'
        )
    return Path(home)


def _write_note(folder: Path, home: Path, user: str) -> None:
    draft = folder / f'{_NOTE}.new'
    draft.write_text(
        f'PostgreSQL does not run as root, so it runs as {user}, who may lack access to this folder.\n'
        'The database of the first folder is in the second:\n'
        f'{folder}\n{home}\n',
        encoding='utf-8'
    )
    draft.replace(folder / _NOTE)
