"""What a SandboxedWorker's child runs in its tests."""
import json
import os
import re
import resource
import signal
import time
from collections.abc import Callable
from threading import Event

from talelio_backend.shared.workers.sandboxed_worker import SandboxedWorker

# Takes the name of one of the functions, and limits where the usual ones do not fit.
MakeWorker = Callable[..., SandboxedWorker]

_held: list[int] = []


def echo(payload: bytes) -> bytes:
    return payload


def pid(_: bytes) -> bytes:
    return str(os.getpid()).encode()


def surroundings(_: bytes) -> bytes:
    limits = {
        name: resource.getrlimit(getattr(resource, name))[0]
        for name in ('RLIMIT_CORE', 'RLIMIT_FSIZE', 'RLIMIT_NOFILE', 'RLIMIT_AS')
    }
    return json.dumps({
        'environment': dict(os.environ),
        'descriptors': len(os.listdir('/dev/fd')),
        'session': os.getsid(0),
        'niceness': os.nice(0),
        'limits': limits
    }).encode()


def compute(payload: bytes) -> bytes:
    """Use as many seconds of CPU time as the payload says."""
    end = time.process_time() + float(payload)
    while time.process_time() < end:
        pass
    return b'done'


def compute_in_c(_: bytes) -> bytes:
    re.match('(a+)+$', 'a' * 64 + 'b')
    raise AssertionError


def pause(payload: bytes) -> bytes:
    """Take as many seconds as the payload says, without computing."""
    Event().wait(float(payload))
    return payload


def allocate(payload: bytes) -> bytes:
    return str(len(bytearray(int(payload)))).encode()


def recurse(payload: bytes) -> bytes:
    return recurse(payload) + payload


def fail(payload: bytes) -> bytes:
    raise LookupError(payload)


def panic(_: bytes) -> bytes:
    raise BaseException('not an Exception')  # pylint: disable=broad-exception-raised


def leave(_: bytes) -> bytes:
    os._exit(3)


def die(payload: bytes) -> bytes:
    """Die of the signal that the payload's last line names."""
    os.kill(os.getpid(), signal.Signals[payload.decode().splitlines()[-1]])
    return b''


def crash(_: bytes) -> bytes:
    return die(b'SIGSEGV')


def be_killed(_: bytes) -> bytes:
    return die(b'SIGKILL')


def hold_open(payload: bytes) -> bytes:
    """Keep a named pipe open for as long as the process lives."""
    _held.append(os.open(payload, os.O_WRONLY))
    return b'held'
