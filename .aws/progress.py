"""Says what goes on, and waits for what takes its time."""
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


class DeploymentError(Exception):
    """What did not come up, in words for the one who deploys."""


def say(line: str) -> None:
    print(line, flush=True)


class Polling:
    """`pause` is for how many seconds to wait before AWS is asked again."""

    def __init__(self, pause: float) -> None:
        self._pause = pause

    def wait(self, what: str, timeout: float, ask: Callable[[], Any]) -> Any:
        """Return the first answer that is a truth. Raises DeploymentError after `timeout` seconds."""
        give_up = time.monotonic() + timeout
        while not (response := ask()):
            if time.monotonic() >= give_up:
                raise DeploymentError(f'Waited {timeout:g} seconds in vain for {what}')
            time.sleep(self._pause)
        return response
