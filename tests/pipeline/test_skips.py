"""A skipped test says what is missing, and fails instead where that could have been installed."""
import subprocess
import sys
from pathlib import Path

import pytest

from talelio_backend.settings import PROJECT_FOLDER
from tests.pipeline.conftest import TIMEOUT
from tests.support.missing import skip_outside_ci


def test_a_test_that_lacks_something_is_skipped_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('CI', raising=False)
    with pytest.raises(pytest.skip.Exception, match='no saw: buy one'):
        skip_outside_ci('no saw', 'buy one')

    monkeypatch.setenv('CI', 'true')
    with pytest.raises(pytest.fail.Exception, match='no saw: buy one'):
        skip_outside_ci('no saw', 'buy one')


def test_a_run_ends_with_a_count_of_skipped_tests_for_each_reason(tmp_path: Path) -> None:
    test = tmp_path / 'test_skips.py'
    test.write_text(
        'import pytest\n'
        'from tests.support.missing import skip\n'
        '@pytest.mark.parametrize("number", range(3))\n'
        'def test_saw(number): skip("no saw", "buy one")\n'
        '@pytest.mark.skipif(True, reason="no hammer: borrow one")\n'
        'def test_hammer(): pass\n',
        encoding='utf-8'
    )
    settings = str(PROJECT_FOLDER / 'setup.cfg')
    options = ['-c', settings, '-p', 'tests.support.missing', '-p', 'no:cacheprovider']

    result = subprocess.run([sys.executable, '-m', 'pytest', *options, '--numprocesses=1',
                             str(test)],
                            cwd=PROJECT_FOLDER,
                            stdout=subprocess.PIPE,
                            text=True,
                            timeout=TIMEOUT,
                            check=False)

    assert result.returncode == 0, result.stdout
    *_, saws, hammers, summary = result.stdout.splitlines()
    assert (saws, hammers) == ('3 skipped: no saw: buy one', '1 skipped: no hammer: borrow one')
    assert '4 skipped' in summary
