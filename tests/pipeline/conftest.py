"""Stand-ins for `aws` and `gh`, which answer as those would."""
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from talelio_backend.settings import PROJECT_FOLDER

# Seconds, which only a hang takes.
TIMEOUT = 300

# Gives the answer of the service that is asked for, through the query that it is told, and notes the call.
STAND_IN = f"""\
#!{sys.executable}
import json, sys
from pathlib import Path
import jmespath
folder = Path(__file__).parent
arguments = sys.argv[1:]
with (folder / 'calls').open('a') as calls:
    print(json.dumps(arguments), file=calls)
answers = json.loads((folder / 'answers').read_text())
answer = answers[arguments[1]]
if answer is None:
    sys.exit('An error occurred')
query = next((after for option, after in zip(arguments, arguments[1:]) if option == '--query'), None)
if query is None:
    print(json.dumps(answer))
else:
    found = jmespath.search(query, answer)
    values = found if isinstance(found, list) else [found]
    print('\\t'.join(str(value) for value in values))
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(name='run')
def _run(tmp_path: Path) -> Run:

    def run(responses: dict[str, Any], *command: str | Path, cwd: Path = PROJECT_FOLDER) -> Any:
        (tmp_path / 'answers').write_text(json.dumps(responses), encoding='utf-8')
        for name in ('aws', 'gh'):
            (tmp_path / name).write_text(STAND_IN, encoding='utf-8')
            (tmp_path / name).chmod(0o755)
        environ = os.environ | {
            'PATH': os.pathsep.join([str(tmp_path), os.environ['PATH']]),
            'GITHUB_REPOSITORY': 'someone/something',
        }
        return subprocess.run(
            command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )

    return run
