import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import FrameType

import pytest

from talelio_backend.shared.workers.sandboxed_worker import (
    LimitExceeded,
    SandboxedWorker,
    WorkerBusy,
    WorkerFailed,
    WorkerNotStarted,
)
from tests.support.waiting import PATIENCE
from tests.support.worker_functions import MakeWorker

MIB = 1024 * 1024
# Seconds of computing or pausing that no limit allows.
ENDLESS = b'3600'


def outcome(worker: SandboxedWorker, payload: bytes) -> bytes | type[Exception]:
    try:
        return worker.call(payload)
    except (LimitExceeded, WorkerBusy, WorkerFailed) as error:
        return type(error)


@pytest.mark.parametrize('payload', [b'', b'\x00', b'a' * 5 * MIB], ids=['empty', 'NUL', '5 MiB'])
def test_bytes_go_there_and_back(make_worker: MakeWorker, payload: bytes) -> None:
    assert make_worker('echo').call(payload) == payload


@pytest.mark.parametrize('function', ['compute', 'compute_in_c'])
def test_cpu_time_is_bounded(make_worker: MakeWorker, function: str) -> None:
    worker = make_worker(function, cpu_seconds=0.1)

    with pytest.raises(LimitExceeded):
        worker.call(ENDLESS)
    with pytest.raises(LimitExceeded):
        worker.call(ENDLESS)


def test_the_bound_holds_where_the_parent_ignores_the_signal(make_worker: MakeWorker) -> None:
    before = signal.signal(signal.SIGPROF, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPROF})
    try:
        assert outcome(make_worker('compute', cpu_seconds=0.1), ENDLESS) is LimitExceeded
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})
        signal.signal(signal.SIGPROF, before)


def test_cpu_time_is_counted_for_each_call_and_not_while_waiting(make_worker: MakeWorker) -> None:
    computing = make_worker('compute', cpu_seconds=0.6)
    pausing = make_worker('pause', cpu_seconds=0.3)

    # In sum more than one may take.
    assert [computing.call(b'0.2') for _ in range(4)] == [b'done'] * 4
    assert pausing.call(b'0.4') == b'0.4'


def test_time_is_bounded(make_worker: MakeWorker) -> None:
    worker = make_worker('pause', wall_seconds=0.2)

    for _ in range(2):
        assert outcome(worker, ENDLESS) is LimitExceeded


@pytest.mark.skipif(sys.platform == 'darwin', reason='no limit of memory on macOS: run on Linux')
def test_memory_is_bounded(make_worker: MakeWorker) -> None:
    worker = make_worker('allocate')

    assert worker.call(b'%d' % (32 * MIB)) == b'%d' % (32 * MIB)
    assert outcome(worker, b'%d' % (80 * MIB)) is LimitExceeded
    assert worker.call(b'%d' % (32 * MIB)) == b'%d' % (32 * MIB)


def test_depth_is_bounded(make_worker: MakeWorker) -> None:
    assert outcome(make_worker('recurse'), b'a') is LimitExceeded


@pytest.mark.parametrize(('function', 'name'), [('fail', 'LookupError'), ('panic', 'BaseException')])
def test_an_exception_is_named_without_its_payload(make_worker: MakeWorker, function: str, name: str) -> None:
    with pytest.raises(WorkerFailed, match=f'^{name}$'):
        make_worker(function).call(b'private')


@pytest.mark.parametrize(('name', 'error'), [('SIGABRT', WorkerFailed), ('SIGSEGV', WorkerFailed),
                                             ('SIGKILL', WorkerBusy), ('SIGTERM', WorkerBusy),
                                             ('SIGPROF', LimitExceeded)])
def test_a_process_that_dies_at_work(make_worker: MakeWorker, name: str, error: type[Exception]) -> None:
    worker = make_worker('die')

    assert outcome(worker, name.encode()) is error
    assert outcome(worker, name.encode()) is error


def test_a_process_that_leaves_at_work(make_worker: MakeWorker) -> None:
    with pytest.raises(WorkerFailed, match='^exit status 3$'):
        make_worker('leave').call(b'')


@pytest.mark.parametrize('function', ['no_such_module:run', 'tests.support.worker_functions:no', ''])
def test_a_function_that_cannot_be_loaded(function: str) -> None:
    worker = SandboxedWorker(function, cpu_seconds=60, memory_bytes=MIB, wall_seconds=PATIENCE)

    with pytest.raises(WorkerNotStarted, match='Error: '):
        worker.call(b'')


def test_every_thread_gets_its_own_answer(make_worker: MakeWorker) -> None:
    worker = make_worker('echo')
    payloads = [b'%d' % number * number for number in range(400)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(worker.call, payloads)) == payloads


def test_the_wait_for_the_worker_is_bounded(make_worker: MakeWorker) -> None:
    has_begun, may_end = Event(), Event()

    def notify(event: str) -> None:
        if event == 'started':
            has_begun.set()
            assert may_end.wait(PATIENCE)

    worker = make_worker('echo', wall_seconds=0.1, notify=notify)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(outcome, worker, b'')
        assert has_begun.wait(PATIENCE)
        try:
            assert outcome(worker, b'') is WorkerBusy
        finally:
            may_end.set()


def test_an_answer_whose_caller_was_interrupted_goes_to_nobody(make_worker: MakeWorker) -> None:

    class Interrupt(BaseException):
        pass

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise Interrupt

    worker = make_worker('pause')
    worker.call(b'0')
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(Interrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            worker.call(ENDLESS)
    finally:
        signal.signal(signal.SIGALRM, before)

    assert worker.call(b'0') == b'0'


@pytest.mark.skipif(sys.platform == 'darwin', reason='macOS does not enforce RLIMIT_AS')
def test_what_becomes_of_a_child_is_told(make_worker: MakeWorker) -> None:
    told: list[str] = []
    worker = make_worker('allocate', notify=told.append)

    assert worker.call(b'1') == b'1'
    assert outcome(worker, b'%d' % (80 * MIB)) is LimitExceeded
    assert worker.call(b'1') == b'1'
    assert outcome(worker, b'no number') is WorkerFailed

    assert told == ['started', 'limit', 'started', 'failed']
