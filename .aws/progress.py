"""Progress messages and polling."""
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


class DeploymentError(Exception):
    """The deployment failed. The message is for the operator."""


def say(line: str) -> None:
    print(line, flush=True)


class Polling:
    """`pause` is the number of seconds between two requests to AWS."""

    def __init__(self, pause: float) -> None:
        self._pause = pause

    def wait(self, what: str, timeout: float, poll: Callable[[], Any]) -> Any:
        """Return the first truthy result. Raises DeploymentError after `timeout` seconds."""
        give_up = time.monotonic() + timeout
        while not (response := poll()):
            if time.monotonic() >= give_up:
                raise DeploymentError(f'Timed out after {timeout:g} seconds waiting for {what}')
            time.sleep(self._pause)
        return response
