"""The benchmarks still run. What they measure in so short a time says nothing."""
import json
from pathlib import Path

from tests.benchmarks.__main__ import GROUPS, main


def test_every_group_runs_and_is_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / 'bench.json'

    main(['--smoke', '--json', str(file)])

    rows = json.loads(file.read_text(encoding='utf-8'))['rows']
    assert {row['group'] for row in rows} == set(GROUPS)
    assert all(row['measured']['median'] > 0 for row in rows if row['group'] not in ('mixed', 'logins'))
    errors, = (row for row in rows if row['name'] == 'mixed: errors')
    assert errors['is_met']
