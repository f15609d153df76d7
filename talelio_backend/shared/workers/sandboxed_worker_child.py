"""The child process of a SandboxedWorker, and the protocol between the two.

A frame consists of a kind, a length and bytes. Not pickle: the parent must not trust the child.
"""

import importlib
import os
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from ctypes import CDLL

READY, RUN, DONE, LIMIT, FAILED = b'R', b'C', b'D', b'L', b'F'
_HEADER = struct.Struct('>cI')

# Only in glibc. Image encoders fragment the heap: without it, an idle child holds 90 MB instead of 30.
_trim_memory = getattr(CDLL(None), 'malloc_trim', None)


class LimitExceeded(Exception):
    """The work exceeds its CPU time, memory or time. Functions may raise it, too."""


def serve(descriptor: str, function: str, cpu_seconds: str, memory_bytes: str) -> None:
    """Process calls until the parent exits: the child's main function."""
    with socket.socket(fileno=int(descriptor)) as connection:
        try:
            module, name = function.split(':')
            run = getattr(importlib.import_module(module), name)
            _set_limits(int(memory_bytes))
        except BaseException as error:  # pylint: disable=broad-exception-caught
            # The message cannot quote a payload yet.
            send(connection, FAILED, f'{type(error).__name__}: {error}'.encode())
            return
        send(connection, READY, b'')
        try:
            while True:
                _, payload = receive(connection, sys.maxsize)
                # Counts user and system time. The default action kills the process.
                signal.setitimer(signal.ITIMER_PROF, float(cpu_seconds))
                kind, content = _answer(run, payload)
                signal.setitimer(signal.ITIMER_PROF, 0)
                send(connection, kind, content)
                del payload, content
                if _trim_memory:
                    _trim_memory(0)
        except (EOFError, ConnectionError):
            return


def _answer(run: Callable[[bytes], bytes], payload: bytes) -> tuple[bytes, bytes]:
    try:
        return DONE, run(payload)
    except (LimitExceeded, MemoryError, RecursionError):
        return LIMIT, b''
    except BaseException as error:  # pylint: disable=broad-exception-caught
        # Rust panics are not subclasses of Exception.
        return FAILED, type(error).__name__.encode()


def _set_limits(memory_bytes: int) -> None:
    # Yield to request threads.
    os.nice(10)
    # Both may be inherited.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})
    _lower_limit(resource.RLIMIT_CORE, 0)
    _lower_limit(resource.RLIMIT_FSIZE, 0)
    # Enough for lazy imports, such as of a lexer.
    _lower_limit(resource.RLIMIT_NOFILE, 32)
    # macOS does not enforce this limit; CPU time bounds the memory there.
    if sys.platform == 'linux':
        with open('/proc/self/statm', encoding='ascii') as statm:
            in_use = int(statm.read().split()[0]) * resource.getpagesize()
        _lower_limit(resource.RLIMIT_AS, in_use + memory_bytes)


def _lower_limit(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def send(connection: socket.socket, kind: bytes, content: bytes, deadline: float | None = None) -> None:
    connection.settimeout(_seconds_until(deadline))
    connection.sendall(_HEADER.pack(kind, len(content)) + content)


def receive(connection: socket.socket, largest: int, deadline: float | None = None) -> tuple[bytes, bytes]:
    kind, size = _HEADER.unpack(_receive_exactly(connection, _HEADER.size, deadline))
    if size > largest:
        raise ValueError(f'a frame of {size} bytes')
    return kind, _receive_exactly(connection, size, deadline)


def _receive_exactly(connection: socket.socket, size: int, deadline: float | None) -> bytes:
    received = bytearray()
    while len(received) < size:
        connection.settimeout(_seconds_until(deadline))
        part = connection.recv(min(size - len(received), 1 << 18))
        if not part:
            raise EOFError
        received += part
    return bytes(received)


def _seconds_until(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds
