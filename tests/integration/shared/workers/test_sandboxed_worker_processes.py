"""When a SandboxedWorker's process comes and goes, and what it takes along."""
import gc
import json
import os
import resource
import select
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from talelio_backend.settings import PROJECT_FOLDER
from talelio_backend.shared.workers.sandboxed_worker import LimitExceeded, SandboxedWorker, WorkerNotStarted
from tests.support.waiting import PATIENCE
from tests.support.worker_functions import MakeWorker

MIB = 1024 * 1024


def is_running(pid: bytes) -> bool:
    """Zombies count as running."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True


def test_the_process_is_kept_until_closed(make_worker: MakeWorker) -> None:
    worker = make_worker('pid')
    first = worker.call(b'')

    assert worker.call(b'') == first != str(os.getpid()).encode()
    assert is_running(first)
    worker.close()
    assert not is_running(first)
    assert worker.call(b'') != first


def test_an_idle_process_ends_and_the_next_call_starts_another(make_worker: MakeWorker) -> None:
    worker = make_worker('pid')
    worker.end_if_idle(0)
    first = worker.call(b'')

    worker.end_if_idle(3600)
    assert worker.call(b'') == first
    worker.end_if_idle(0)
    assert not is_running(first)
    assert worker.call(b'') != first


def test_a_process_that_is_called_just_now_is_not_idle(make_worker: MakeWorker) -> None:
    told: list[str] = []

    def notify(event: str) -> None:
        told.append(event)
        worker.end_if_idle(0)

    worker = make_worker('echo', notify=notify)

    assert worker.call(b'a') == worker.call(b'a') == b'a'
    assert told == ['started']


def test_none_is_started_before_the_first_call(make_worker: MakeWorker) -> None:
    before = os.listdir('/dev/fd')
    make_worker('echo').close()

    assert os.listdir('/dev/fd') == before


def test_a_worker_that_nobody_closes_ends_its_process() -> None:
    worker = SandboxedWorker(
        'tests.support.worker_functions:pid', cpu_seconds=60, memory_bytes=MIB, wall_seconds=PATIENCE
    )
    pid = worker.call(b'')
    del worker
    gc.collect()

    assert not is_running(pid)


@pytest.mark.skipif(not hasattr(os, 'waitid'), reason='no os.waitid: use Python 3.13 or newer on macOS')
def test_a_process_that_died_while_idle_is_replaced(make_worker: MakeWorker) -> None:
    worker = make_worker('pid')
    pid = worker.call(b'')
    os.kill(int(pid), signal.SIGKILL)
    # Dead, and left for the worker to reap.
    os.waitid(os.P_PID, int(pid), os.WEXITED | os.WNOWAIT)

    assert worker.call(b'') != pid


def test_the_child_sees_nothing_of_the_parent(
    make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('SECRET_KEY', 'DATABASE_URL', 'SMTP_URL', 'AWS_SECRET_ACCESS_KEY', 'HOME'):
        monkeypatch.setenv(name, 'secret')
    with open(__file__, encoding='utf-8') as inheritable:
        os.set_inheritable(inheritable.fileno(), True)
        seen = json.loads(make_worker('surroundings').call(b''))

    assert 'secret' not in json.dumps(seen['environment'])
    # Three that lead nowhere, the connection, and the one that lists them.
    assert seen['descriptors'] == 5
    assert seen['session'] != os.getsid(0)
    assert seen['limits']['RLIMIT_CORE'] == seen['limits']['RLIMIT_FSIZE'] == 0
    assert seen['limits']['RLIMIT_NOFILE'] <= 32
    assert sys.platform == 'darwin' or seen['limits']['RLIMIT_AS'] != resource.RLIM_INFINITY


def test_the_child_gives_way_to_the_parent(make_worker: MakeWorker) -> None:
    assert json.loads(make_worker('surroundings').call(b''))['niceness'] == min(os.nice(0) + 10, 19)


def test_no_descriptor_is_left_behind(make_worker: MakeWorker) -> None:
    computing = make_worker('compute', cpu_seconds=0.05)
    pausing = make_worker('pause', wall_seconds=0.05)
    missing = make_worker('no_such_function')
    before = os.listdir('/dev/fd')
    for worker, error in [(computing, LimitExceeded), (pausing, LimitExceeded),
                          (missing, WorkerNotStarted)] * 3:
        with pytest.raises(error):
            worker.call(b'3600')

    assert os.listdir('/dev/fd') == before


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Run a program that makes workers by `make`, and complains of what it leaves open."""
    make = '''
        import signal, sys
        from talelio_backend.shared.workers.sandboxed_worker import SandboxedWorker

        def make(function):
            function = 'tests.support.worker_functions:' + function
            return SandboxedWorker(function, cpu_seconds=60, memory_bytes=1 << 26, wall_seconds=600)
    '''
    return subprocess.Popen(
        [sys.executable, '-X', 'dev', '-c',
         dedent(make) + dedent(script), *arguments],
        cwd=PROJECT_FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(script: str) -> list[str]:
    with run(script) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert (err, process.returncode) == ('', 0)
    return out.split()


def test_a_program_may_end_without_closing() -> None:
    pid, = output("worker = make('pid'); print(worker.call(b'').decode())")

    assert not is_running(pid.encode())


def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    pipe = tmp_path / 'pipe'
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        script = '''
            worker = make('hold_open')
            worker.call(sys.argv[1].encode())
            print(flush=True)
            signal.pause()
        '''
        with run(script, str(pipe)) as parent:
            try:
                assert parent.stdout and parent.stdout.readline() == '\n'
                # Nothing to read, but somebody who may still write: the child.
                assert select.select([end], [], [], 0)[0] == []
            finally:
                parent.kill()
        assert select.select([end], [], [], PATIENCE)[0] == [end]
        assert os.read(end, 1) == b''
    finally:
        os.close(end)
