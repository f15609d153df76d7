import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar('T')

# Seconds; only a test that fails waits so long.
PATIENCE = 20.0
_PAUSE = 0.02


def wait_until(condition: Callable[[], T], what: str, *, patience: float = PATIENCE) -> T:
    """Ask until the answer is truthy, and return it."""
    give_up = time.monotonic() + patience
    while not (answer := condition()):
        assert time.monotonic() < give_up, f'{what}: not so within {patience:g} s'
        time.sleep(_PAUSE)
    return answer
