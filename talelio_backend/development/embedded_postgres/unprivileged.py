"""As whom PostgreSQL runs: it refuses to run as root, which is who one is in many containers."""
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

# The shell in which pg_ctl and initdb start `postgres` would read these inside double quotes.
_NOT_FOR_A_SHELL = frozenset('"$`\\\n')

# A server needs nothing else, and the rest holds PG* variables that would redirect it and secrets
# that are not for the other user under whom it may run.
_KEPT_VARIABLES = ('PATH', 'LD_LIBRARY_PATH')

_LOGGER = logging.getLogger(__name__)

_NOTE = 'where-the-data-are.txt'


@dataclass(frozen=True, kw_only=True)
class ProgramRunner:
    """Where a server's files lie, and as whom its programs run there."""
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
            # The present directory may be closed to the other user.
            cwd=self.home,
            env={
                **{
                    name: os.environ[name]
                    for name in _KEPT_VARIABLES if name in os.environ
                },
                # Messages in English; and on macOS PostgreSQL does not start without a locale.
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
        """Make the programs' user the owner of a file or an empty folder."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group, follow_symlinks=False)


# Takes the folder and the installation; raises EmbeddedPostgresError where it is no way here.
RunnerFactory = Callable[[Path, Path], ProgramRunner]


def as_self(folder: Path, installation: Path) -> ProgramRunner:
    return _checked(ProgramRunner(home=folder, programs=installation / 'bin'))


def in_user_namespace(folder: Path, installation: Path) -> ProgramRunner:
    """The same user under another number, so that nothing has to move or to change its owner.

    https://man7.org/linux/man-pages/man7/user_namespaces.7.html
    """
    unshare = shutil.which('unshare')
    if unshare is None:
        raise EmbeddedPostgresError('there is no program `unshare`')
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
    """Another user of the machine, with the data and the programs where that user can reach them.

    Only the data folder and the log belong to that user. All around them belongs to root, so that
    whatever else runs under that name can lay no traps such as links for root to follow.
    """
    if os.geteuid() != 0:
        raise EmbeddedPostgresError('only root can run programs as another user')
    account = _ordinary_account()
    if (folder / 'data').exists():
        raise EmbeddedPostgresError(
            f'the data in {folder} were made by root in a user namespace, and {account.pw_name} '
            'cannot use them; with that folder moved away, an empty database would be made'
        )
    shelves = [place.resolve() / 'talelio-postgres' for place in places]
    # Not named after the folder: who deletes that and makes it anew expects an empty database.
    name = secrets.token_hex(8)
    noted = _noted_home(folder)
    if noted and noted.parent not in shelves:
        raise EmbeddedPostgresError(f'{noted}, named in {folder / _NOTE}, is no place for data')
    if noted and not noted.exists():
        _LOGGER.warning('The data of %s lay in %s, which is gone.', folder, noted)
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
    """The first way that works here, and for a folder with data the way by which they were made."""
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
        'PostgreSQL runs neither as root nor as a user without a name, and no other way worked '
        'here. Set DATABASE_URL to a PostgreSQL of your own, or see what stood in the way:\n' +
        '\n'.join(reasons)
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
        # A number alone will not do: initdb looks up its name.
        raise EmbeddedPostgresError('the system knows no user but root')
    return next((account for account in accounts if account.pw_name == 'nobody'), accounts[0])


def _checked(runner: ProgramRunner, *, writable: bool = True) -> ProgramRunner:
    for path in (runner.home, runner.programs):
        if _NOT_FOR_A_SHELL.intersection(str(path)):
            raise EmbeddedPostgresError(
                f'PostgreSQL cannot start from {path}: a path must not hold " $ ` \\ or a newline'
            )
    reach = '&& test -w "$2" -a -x "$2"' if writable else ''
    try:
        trial = runner.run(
            'sh', '-c', f'"$1" --version {reach}', 'sh', runner.programs / 'postgres', runner.home
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(
            f'a trial failed: {error.strerror if isinstance(error, OSError) else error}'
        ) from error
    if trial.returncode != 0:
        complaint = trial.stderr.strip() or f'{runner.home} is closed to it'
        raise EmbeddedPostgresError(f'a trial failed: {complaint}')
    return runner


def _make_roots_own(folder: Path) -> None:
    folder.mkdir(mode=0o755, exist_ok=True)
    state = folder.lstat()
    # In a place where everyone may write, another user can have been there first.
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != 0 or state.st_mode & 0o022:
        raise EmbeddedPostgresError('it exists already and is not a folder of root alone')
    folder.chmod(0o755)


def _noted_home(folder: Path) -> Path | None:
    note = folder / _NOTE
    if not note.exists():
        return None
    noted_folder, home = note.read_text(encoding='utf-8').splitlines()[-2:]
    if noted_folder != str(folder):
        # Each folder has locks of its own, which therefore cannot guard data that two share.
        raise EmbeddedPostgresError(
            f'{folder} was at {noted_folder} before. If it was moved, write the new path into '
            f'{note}; if it was copied, delete that file to start with an empty database'
        )
    return Path(home)


def _write_note(folder: Path, home: Path, user: str) -> None:
    draft = folder / f'{_NOTE}.new'
    draft.write_text(
        'PostgreSQL does not run as root, and this folder need not be open to other users.\n'
        f'So the server runs as {user}. Of these two, the first has its database in the second:\n'
        f'{folder}\n{home}\n',
        encoding='utf-8'
    )
    draft.replace(folder / _NOTE)
