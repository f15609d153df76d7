"""A mail server that says what the test wants, for what a well-behaved one never does."""
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

# Keys of a script that are no command: the moment of connecting, and the end of the mail's text.
GREETING = 'GREETING'
END_OF_MAIL = 'END OF MAIL'

# Answers that are none.
CLOSE = '<close>'
SILENCE = '<silence>'

_USUAL = {
    GREETING: '220 ready',
    'EHLO': '250-scripted\r\n250 SIZE 10000000',
    'DATA': '354 go on',
    'QUIT': '221 bye',
}


class ScriptedSmtp:
    """Serves one connection after another. What the script does not name is answered as usual."""

    def __init__(self, script: Mapping[str, str] | None = None) -> None:
        self._script = _USUAL | dict(script or {})
        self._listener = socket.create_server(('127.0.0.1', 0))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self.received: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        with suppress(OSError):
            # Wakes the thread that waits in `accept`.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, suppress(OSError):
                    self._converse(client)

    def _converse(self, client: socket.socket) -> None:
        if not self._answer(client, GREETING):
            return
        in_text = False
        for line in client.makefile('rb'):
            command = line.decode('utf-8', 'replace').rstrip('\r\n')
            self.received.append(command)
            if in_text:
                if command != '.':
                    continue
                verb, in_text = END_OF_MAIL, False
            else:
                verb = command.partition(' ')[0].upper()
                in_text = verb == 'DATA' and self._script['DATA'].startswith('354')
            if not self._answer(client, verb):
                return

    def _answer(self, client: socket.socket, verb: str) -> bool:
        """Return whether the conversation goes on."""
        response = self._script.get(verb, '250 OK')
        if response == CLOSE:
            return False
        if response == SILENCE:
            self._stopping.wait()
            return False
        client.sendall(f'{response}\r\n'.encode())
        return True
