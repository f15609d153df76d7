import threading
from collections.abc import Callable
from concurrent.futures import Future


def start_daemon(work: Callable[[], None]) -> Future[None]:
    """Start a thread that, unlike an executor's, does not block the exit of the process."""
    future: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except BaseException as error:  # pylint: disable=broad-exception-caught
            future.set_exception(error)
        else:
            future.set_result(None)

    threading.Thread(target=run, name='check', daemon=True).start()
    return future
