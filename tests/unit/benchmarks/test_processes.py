import os
import subprocess
import sys

import pytest

from tests.benchmarks.processes import memory_of, parse_pss, processor_time_of
from tests.support.processes import family_of, parent_of, parse_stat

linux = pytest.mark.skipif(sys.platform != 'linux', reason='no /proc: run on Linux')


def test_a_share_is_in_kib_and_is_told_apart_from_its_parts() -> None:
    rollup = '55d0-7ffe ---p 00000000 00:00 0    [rollup]\nRss:   900 kB\nPss:   36 kB\nPss_Anon:  20 kB\n'

    assert parse_pss(rollup) == 36 * 1024
    assert parse_pss('') == 0


def test_a_name_may_hold_brackets_and_spaces() -> None:
    assert parse_stat('42 (a ) b) S 7 42') == ['S', '7', '42']


@linux
def test_a_family_is_a_process_and_all_that_descend_from_it() -> None:
    forks = 'import os, sys; os.fork(); os.write(1, b"%d\\n" % os.getpid()); sys.stdin.read()'
    with subprocess.Popen([sys.executable, '-c', forks], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdin
        pids = {int(process.stdout.readline()), int(process.stdout.readline())}

        assert process.pid in pids and set(family_of(process.pid)) == pids
        assert pids < set(family_of(os.getpid()))
        assert parent_of(process.pid) == os.getpid()
        assert memory_of(process.pid) > 1 << 20
        process.stdin.close()
    assert processor_time_of(os.getpid()) > 0
