import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar('T')

# Seconds. So many that a busy machine is no reason; only a test that fails waits so long.
PATIENCE = 120.0
_PAUSE = 0.02


def wait_until(condition: Callable[[], T], what: str, *, timeout: float = PATIENCE) -> T:
    """Ask until the answer is truthy, and return it."""
    give_up = time.monotonic() + timeout
    while not (response := condition()):
        assert time.monotonic() < give_up, f'{what}: not so within {timeout:g} s'
        time.sleep(_PAUSE)
    return response


def repeat(call: Callable[[], bool], *, at_most: int = 500) -> int:
    """Call until the answer is False; return how often it was True. A test that fails must end, too."""
    for number in range(at_most):
        if not call():
            return number
    raise AssertionError(f'{at_most} calls were not enough')
