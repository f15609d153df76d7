"""What is written about the settings comes from their docstrings."""
import os
import subprocess
import sys
from pathlib import Path

from talelio_backend.settings import PROJECT_FOLDER, Settings
from tests.pipeline.conftest import TIMEOUT

SCRIPT = PROJECT_FOLDER / '.ci' / 'write_settings_docs.py'
FILES = ('.env.example', '.github/docs/configuration.md')


def test_the_files_are_what_make_settings_docs_writes(tmp_path: Path) -> None:
    committed = {name: (PROJECT_FOLDER / name).read_text(encoding='utf-8') for name in FILES}
    for name, text in committed.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding='utf-8')

    subprocess.run([sys.executable, SCRIPT],
                   cwd=tmp_path,
                   env=os.environ | {'PYTHONPATH': str(PROJECT_FOLDER)},
                   timeout=TIMEOUT,
                   check=True)

    assert {name: (tmp_path / name).read_text(encoding='utf-8') for name in FILES} == committed
    for field in Settings.model_fields.values():
        assert f'{field.alias}=' in committed['.env.example']
        assert f'| `{field.alias}` |' in committed['.github/docs/configuration.md']
