"""Changes the code in small ways and tells which changes no unit test notices: `make test-mutation`.

mutmut works on a copy in var/mutation, so that nothing of it is in the working tree.
"""
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / 'var' / 'mutation'
COPIED = ('talelio_backend', 'tests', 'migrations', 'alembic.ini', 'setup.cfg')
# mutmut comes last on the path, so that pytest and the rest are those that are locked.
TOOL = str(ROOT / 'var' / 'mutmut')
MUTMUT = f'import sys; sys.path.append({TOOL!r}); from mutmut.__main__ import cli; cli(sys.argv[1:])'
TESTS = {
    'app_account': ['app_account', 'shared/data/test_jwt.py'],
    'app_project': ['app_project/business'],
    'app_asset': ['app_asset/business'],
    'app_feed': ['app_feed/business'],
    'app_user': ['app_user'],
    'shared/business': [
        'shared/business', 'shared/presentation/test_idempotency.py',
        'shared/presentation/test_audit_commands.py', 'shared/presentation/test_outbox_commands.py',
        'test_error_codes.py'
    ],
    'shared/data': ['shared/data/test_jwt.py', 'app_account/data'],
    'shared/presentation': ['shared/presentation/test_bearer.py'],
    'business': ['test_error_messages.py'],
}


def main(modules: list[str]) -> int:
    if not modules:
        print('Name modules, such as talelio_backend/app_account/business/sessions.py')
        return 2
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, COPY / name, ignore=shutil.ignore_patterns('__pycache__'))
        else:
            shutil.copy(source, COPY / name)
    with (COPY / 'setup.cfg').open('a', encoding='utf-8') as settings:
        settings.write('\n'.join(settings_for(modules)))
    code = mutmut('run', '--max-children', '2').returncode
    if code:
        return code
    results = subprocess.run([sys.executable, '-c', MUTMUT, 'results', '--all', 'true'],
                             cwd=COPY,
                             capture_output=True,
                             encoding='utf-8',
                             check=True).stdout
    print('\n'.join(table(results)))
    return 0


def mutmut(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, '-c', MUTMUT, *arguments], cwd=COPY, check=False)


def settings_for(modules: list[str]) -> list[str]:
    tests = sorted({
        f'tests/unit/{path}'
        for module in modules
        for place, paths in TESTS.items() if f'/{place}' in module for path in paths
    })
    return [
        '', '[mutmut]', 'source_paths = talelio_backend',
        'only_mutate =', *(f'    {each}' for each in modules),
        'pytest_add_cli_args_test_selection =', *(f'    {each}' for each in tests),
        'pytest_add_cli_args =', '    -p', '    no:cacheprovider',
        'also_copy =', '    migrations', '    alembic.ini', ''
    ]  # yapf: disable


def table(results: str) -> list[str]:
    """By module: noticed (a test fails, or runs for too long) of all, and those that were not."""
    line = r'^\s+talelio_backend\.(\S+)\.(\S+?__mutmut_\d+): (.+)$'
    found = re.findall(line, results, re.MULTILINE)
    noticed = Counter(module for module, _, outcome in found if outcome in ('killed', 'timeout'))
    too_long = Counter(module for module, _, outcome in found if outcome == 'timeout')
    everything = Counter(module for module, _, _ in found)
    lines = [
        f'{module:48}{noticed[module]:5} of {number:4}{noticed[module] / number:7.0%}' +
        (f', {too_long[module]} by a timeout' if too_long[module] else '')
        for module, number in sorted(everything.items())
    ]
    missed = [
        f'{outcome}: talelio_backend.{module}.{name}' for module, name, outcome in found
        if outcome not in ('killed', 'timeout')
    ]
    return [*lines, '', *missed]


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
