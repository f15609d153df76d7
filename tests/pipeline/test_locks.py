"""What is installed is what was locked, to the byte, and the locks name no place where packages come from."""
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from talelio_backend.settings import PROJECT_FOLDER
from tests.pipeline.conftest import TIMEOUT

OTHER_HASH = 'sha256:' + '0' * 64


def load(path: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((PROJECT_FOLDER / path).read_text(encoding='utf-8'))
    return content


LOCK = load('Pipfile.lock')
PACKAGES = {(section, name): package
            for section in sorted(LOCK.keys() - {'_meta'})
            for name, package in LOCK[section].items()}


@pytest.mark.parametrize(('section', 'name'), PACKAGES)
def test_a_locked_package_has_one_version_with_hashes_and_comes_from_nowhere(section: str, name: str) -> None:
    package = PACKAGES[section, name]

    assert re.fullmatch('==[0-9][0-9a-z.+!-]*', package['version'])
    assert package['hashes'] and all(re.fullmatch('sha256:[0-9a-f]{64}', each) for each in package['hashes'])
    assert package.keys() <= {'extras', 'hashes', 'markers', 'version'}


def test_what_is_in_several_parts_of_the_lock_is_of_one_version() -> None:
    versions: dict[str, set[str]] = {}
    for (_, name), package in PACKAGES.items():
        versions.setdefault(name, set()).add(package['version'])

    assert {name for name, several in versions.items() if len(several) > 1} == set()


def test_the_lock_names_no_host() -> None:
    assert LOCK['_meta']['sources'] == []
    assert '//' not in (PROJECT_FOLDER / 'Pipfile.lock').read_text(encoding='utf-8')
    assert '//' not in (PROJECT_FOLDER / 'Pipfile').read_text(encoding='utf-8')


def test_the_packages_of_the_client_have_hashes_and_come_from_nowhere() -> None:
    packages = {
        path: package
        for path, package in load('.ci/client/package-lock.json')['packages'].items() if path
    }

    assert len(packages) > 30
    for path, package in packages.items():
        assert re.fullmatch(r'sha512-[\w+/]{86}==', package['integrity']), path
        assert 'resolved' not in package, path


# What each file installs with. The one that the others are installed with has no lock of its own.
WAYS = {
    'Makefile': [
        '-m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:',
        '$(PIP_INSTALL) --no-deps --no-compile --requirement $@.txt',
        '-m pip install --quiet --disable-pip-version-check "pipenv>=2026.0"',
        '$(PIP_INSTALL) --no-deps --target $(@D) --requirement $<',
        '$(PIP_INSTALL) --target $(@D) --requirement $<',
        # Into a folder of its own, for whoever asks for it: no check and no image has it.
        '--only-binary :all: --target $(@D) mutmut==3.8.1',
    ],
    'Dockerfile': ['--no-deps --only-binary :all: --require-hashes --requirement requirements.txt'],
    '.ci/build-client': ['npm ci --silent'],
}


@pytest.mark.parametrize('file', WAYS)
def test_nothing_is_installed_past_the_locks(file: str) -> None:
    text = (PROJECT_FOLDER / file).read_text(encoding='utf-8')
    commands = [
        line for line in re.sub(r' *\\\n *', ' ', text).splitlines() if not re.match(r'\s*(#|@?echo)', line)
    ]

    installs = [
        line for line in commands if re.search(r'\b(pip|npm)\s.*\b(install|ci)\b|\(PIP_INSTALL\)', line)
    ]
    assert len(installs) == len(WAYS[file])
    for way, line in zip(WAYS[file], installs):
        assert way in line


@pytest.fixture(name='wheels')
def _wheels(tmp_path: Path) -> Path:
    """A folder with a package in it, to install from."""
    folder = tmp_path / 'wheels'
    folder.mkdir()
    files = {
        'a_package.py': '',
        'a_package-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: a-package\nVersion: 1.0\n',
        'a_package-1.0.dist-info/WHEEL': 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    }
    record = ''.join(f'{name},sha256={digest(text)},{len(text)}\n' for name, text in files.items())
    files['a_package-1.0.dist-info/RECORD'] = f'{record}a_package-1.0.dist-info/RECORD,,\n'
    with ZipFile(folder / 'a_package-1.0-py3-none-any.whl', 'w') as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return folder


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()


def test_make_installs_a_package_only_with_the_hash_of_the_lock(tmp_path: Path, wheels: Path) -> None:
    for file in ('Makefile', '.ci/locked_requirements.py'):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT_FOLDER / file, tmp_path / file)
    # pip is the one that runs this test: a copy of its own would take some seconds.
    environment = tmp_path / '.venv'
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', environment], check=True, timeout=TIMEOUT)
    (environment / 'bin' / 'pip').touch()
    wheel, = wheels.iterdir()
    right_hash = f'sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}'

    def install(package_hash: str) -> subprocess.CompletedProcess[str]:
        lock = {
            'default': {
                'a-package': {
                    'hashes': [package_hash],
                    'version': '==1.0'
                }
            },
            'embedded-database': {}
        }
        (tmp_path / 'Pipfile.lock').write_text(json.dumps(lock), encoding='utf-8')
        return subprocess.run(['make', '.venv/.serving'],
                              cwd=tmp_path,
                              env={
                                  'PATH': os.environ['PATH'],
                                  'HOME': str(tmp_path),
                                  'PYTHONPATH': sysconfig.get_path('purelib'),
                                  'PIP_NO_INDEX': '1',
                                  'PIP_FIND_LINKS': str(wheels),
                                  'PIP_CONFIG_FILE': os.devnull,
                              },
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              text=True,
                              timeout=TIMEOUT,
                              check=False)

    refused = install(OTHER_HASH)
    assert refused.returncode != 0
    assert 'DO NOT MATCH THE HASHES' in refused.stdout
    assert not list(tmp_path.rglob('a_package.py'))

    accepted = install(right_hash)
    assert accepted.returncode == 0, accepted.stdout
    assert list(tmp_path.rglob('a_package.py'))


@pytest.mark.parametrize(
    'sections', [['default'], ['default', 'tracing'], ['default', 'embedded-database', 'develop']]
)
def test_the_image_gets_what_the_lock_says_with_its_hashes(sections: list[str]) -> None:
    script = PROJECT_FOLDER / '.ci' / 'locked_requirements.py'
    result = subprocess.run([sys.executable, script, PROJECT_FOLDER / 'Pipfile.lock', *sections[1:]],
                            stdout=subprocess.PIPE,
                            text=True,
                            timeout=TIMEOUT,
                            check=True)

    lines = result.stdout.splitlines()
    wanted = {name: package for section in sections for name, package in LOCK[section].items()}
    assert len(lines) == len(wanted)
    for line, (name, package) in zip(lines, wanted.items(), strict=True):
        assert line.startswith(name)
        assert re.findall(r'--hash=(\S+)', line) == package['hashes']
