"""What is installed at run time is under licences that are known to be fine."""
import json
import os
import subprocess
from pathlib import Path

from talelio_backend.settings import PROJECT_FOLDER
from tests.pipeline.conftest import TIMEOUT


def licences(folder: Path) -> subprocess.CompletedProcess[str]:
    """In a folder with a lock; what is installed there counts, too."""
    return subprocess.run([PROJECT_FOLDER / '.ci' / 'licences'],
                          cwd=folder,
                          env=os.environ | {'PYTHONPATH': str(folder)},
                          capture_output=True,
                          text=True,
                          timeout=TIMEOUT,
                          check=False)


def test_those_of_this_service_are_fine() -> None:
    result = licences(PROJECT_FOLDER)

    assert result.returncode == 0, result.stderr
    lock = json.loads((PROJECT_FOLDER / 'Pipfile.lock').read_text(encoding='utf-8'))
    listed = [line.split()[0].lower().replace('_', '-') for line in result.stdout.splitlines()[1:]]
    assert sorted(listed) == sorted(lock['default'])


def test_one_that_is_not_known_to_be_fine_is_a_failure(tmp_path: Path) -> None:
    lock = {'default': {'a-package': {'version': '==1.0'}}}
    (tmp_path / 'Pipfile.lock').write_text(json.dumps(lock), encoding='utf-8')
    information = tmp_path / 'a_package-1.0.dist-info'
    information.mkdir()
    about = 'Metadata-Version: 2.4\nName: a-package\nVersion: 1.0\n'
    for licence, code in (
        ('License-Expression: MIT', 0),
        ('License-Expression: MIT AND GPL-3.0-or-later', 1),
        ('License: Copyright somebody', 1),
        ('Summary: says nothing of it', 1),
    ):
        (information / 'METADATA').write_text(f'{about}{licence}\n', encoding='utf-8')

        result = licences(tmp_path)

        assert result.returncode == code, licence
        assert code == 0 or 'not in allow-only licenses was found for package a-package' in result.stderr
