"""Requests that nobody thought of: schemathesis makes them from the OpenAPI document, good ones and bad ones.

Every check is on, also those of sequences of calls: no 5xx, and no answer that the document does not name.
`make fuzz` does the same for longer.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

from talelio_backend.settings import PROJECT_FOLDER
from tests.e2e.conftest import Serve
from tests.support.documented_api import document
from tests.support.members import join, publish

CONFIGURATION = Path(__file__).with_name('schemathesis.toml')
# Cases of an operation; `make fuzz` tries many more.
EXAMPLES = os.environ.get('FUZZ_EXAMPLES', '3')
# The suite sends the same requests in each run, so no verdict depends on chance. `make fuzz` tries new ones.
REPEATABLE = [] if 'FUZZ_EXAMPLES' in os.environ else ['--generation-deterministic']
# Seconds; only a server that hangs takes so long.
PATIENCE = 600 + 60 * int(EXAMPLES)


def test_no_request_meets_a_fault_or_an_answer_outside_the_document(
    serve: Serve, database_url: str, tmp_path: Path
) -> None:
    api = serve(database_url)
    member = join(api)
    publish(api, member, 'A chair', '## Wood')

    run = subprocess.run(
        [sys.executable, '-m', 'schemathesis.cli', '--config-file', str(CONFIGURATION), '--no-color',
         'run', f'{api.url}/v1/openapi.json', '--max-examples', EXAMPLES, *REPEATABLE],
        cwd=tmp_path,
        env=os.environ | {
            'FUZZ_URL': api.url,
            'FUZZ_EMAIL': member.person.email,
            'FUZZ_PASSWORD': member.person.password,
            'FUZZ_USERNAME': member.person.username,
            'PYTHONPATH': str(PROJECT_FOLDER),
        },
        capture_output=True,
        encoding='utf-8',
        timeout=PATIENCE,
        check=False,
    )  # yapf: disable

    # Shown by `make fuzz`, and when the test fails.
    print(run.stdout)
    assert run.returncode == 0, run.stderr
    # All but the document itself, which is fetched.
    operations = sum(len(methods) for methods in document()['paths'].values()) - 1
    assert re.search(rf'Tested: {operations}\b', run.stdout)
    assert re.search(r'\b\d{3,} passed', run.stdout)
    log = api.log()
    assert 'unexpected error' not in log
    for call in ('POST /v1/projects 201', 'POST /v1/assets/images 200', 'PATCH /v1/users/me 200'):
        assert call in log, 'nothing got past the door'
