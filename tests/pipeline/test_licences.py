"""What is installed at run time is under licences that are known to be fine."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from talelio_backend.config import PROJECT_FOLDER
from tests.pipeline.conftest import TIMEOUT

SCRIPT = PROJECT_FOLDER / '.ci' / 'licences.py'


def licences(folder: Path) -> subprocess.CompletedProcess[str]:
    """In a folder with a lock; what is installed there counts, too."""
    return subprocess.run([sys.executable, SCRIPT],
                          cwd=folder,
                          env=os.environ | {'PYTHONPATH': str(folder)},
                          capture_output=True,
                          text=True,
                          timeout=TIMEOUT,
                          check=False)


@pytest.fixture(name='folder')
def _folder(tmp_path: Path) -> Path:
    lock = {'default': {'a-package': {'version': '==1.0'}}, 'develop': {'another': {'version': '==1.0'}}}
    (tmp_path / 'Pipfile.lock').write_text(json.dumps(lock), encoding='utf-8')
    return tmp_path


def install(folder: Path, *lines: str) -> None:
    information = folder / 'a_package-1.0.dist-info'
    information.mkdir()
    text = '\n'.join(['Metadata-Version: 2.4', 'Name: a-package', 'Version: 1.0', *lines, ''])
    (information / 'METADATA').write_text(text, encoding='utf-8')


def test_those_of_this_service_are_fine() -> None:
    result = licences(PROJECT_FOLDER)

    assert result.returncode == 0, result.stderr
    lock = json.loads((PROJECT_FOLDER / 'Pipfile.lock').read_text(encoding='utf-8'))
    assert [line.split()[0] for line in result.stdout.splitlines()] == sorted(lock['default'])


@pytest.mark.parametrize(
    'lines', [
        ['License-Expression: MIT'],
        ['License-Expression: MPL-2.0 AND (Apache-2.0 OR MIT)'],
        ['Classifier: License :: OSI Approved :: BSD License', 'License: something else'],
        ['License: Apache-2.0', 'Classifier: Programming Language :: Python'],
    ],
    ids=' '.join
)
def test_a_licence_is_found_where_it_is_said(folder: Path, lines: list[str]) -> None:
    install(folder, *lines)

    result = licences(folder)

    assert (result.returncode, result.stderr) == (0, '')
    assert result.stdout.startswith('a-package ')


@pytest.mark.parametrize(
    'lines', [
        [],
        ['License: UNKNOWN'],
        ['License-Expression: AGPL-3.0-only'],
        ['License-Expression: MIT AND GPL-3.0-or-later'],
        ['License-Expression: LicenseRef-Proprietary', 'Classifier: License :: OSI Approved :: MIT License'],
        [
            'Classifier: License :: OSI Approved :: MIT License',
            'Classifier: License :: Other/Proprietary License'
        ],
        ['License: Copyright somebody', '        All rights reserved.'],
    ],
    ids=' '.join
)
def test_one_that_is_not_known_to_be_fine_is_a_failure(folder: Path, lines: list[str]) -> None:
    install(folder, *lines)

    result = licences(folder)

    assert result.returncode == 1
    assert result.stderr.startswith('FAILED: the licence of a-package is not one of 0BSD, Apache-2.0, ')


def test_a_package_that_is_not_installed_cannot_be_looked_at(folder: Path) -> None:
    result = licences(folder)

    assert result.returncode == 1
    assert 'not installed here' in result.stdout
