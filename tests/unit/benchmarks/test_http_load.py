"""Against a server in a thread, of which each answer is known."""
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.benchmarks.http_load import Script, again_and_again, ask, get, message

Serve = Callable[..., str]


@pytest.fixture(name='serve')
def _serve() -> Iterator[Serve]:
    """Start a server that sends these pieces for each request that ends with a blank line."""
    threads: list[threading.Thread] = []
    with socket.create_server(('127.0.0.1', 0)) as listener:

        def start(*pieces: bytes, connections: int = 1) -> str:

            def response() -> None:
                # The end of the test shuts the listener, and its client may have hung up.
                with suppress(OSError):
                    for _ in range(connections):
                        connection, _ = listener.accept()
                        with connection:
                            while connection.recv(1 << 16):
                                for piece in pieces:
                                    connection.sendall(piece)
                                if b'close' in pieces[0]:
                                    break

            threads.append(threading.Thread(target=response))
            threads[-1].start()
            return f'http://127.0.0.1:{listener.getsockname()[1]}'

        yield start
        listener.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def collect(responses: list[tuple[int, bytes]], *requests: bytes) -> Script:
    for request in requests:
        status, body = yield 'a kind', request
        responses.append((status, bytes(body)))


def test_an_answer_may_come_in_pieces(serve: Serve) -> None:
    url = serve(b'HTTP/1.1 200 OK\r\nContent-', b'Length: 5\r\n\r\nhe', b'llo')
    got: list[tuple[int, bytes]] = []

    responses = ask(url, [collect(got, get('/'), get('/'))], seconds=30, warm_up=0)

    assert got == [(200, b'hello')] * 2
    assert responses.statuses == {('a kind', 200): 2}
    assert responses.answered == len(responses.latencies['a kind']) == 2


def test_a_304_has_no_body_whatever_length_it_names(serve: Serve) -> None:
    url = serve(b'HTTP/1.1 304 NOT MODIFIED\r\nContent-Length: 50000\r\n\r\n')

    responses = ask(url, [again_and_again(get('/'), 304)], seconds=0.05)

    assert responses.answered > len(responses.latencies['request']) > 0
    assert responses.rate() == pytest.approx(len(responses.latencies['request']) / 0.05)


def test_another_status_than_wanted_ends_it(serve: Serve) -> None:
    url = serve(b'HTTP/1.1 500 NO\r\nContent-Length: 4\r\n\r\noops')

    with pytest.raises(AssertionError, match='oops'):
        ask(url, [again_and_again(get('/'))], seconds=30)


def test_who_is_told_to_close_connects_again(serve: Serve) -> None:
    url = serve(b'HTTP/1.1 503 NO\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', connections=3)
    got: list[tuple[int, bytes]] = []

    ask(url, [collect(got, get('/'), get('/'))], seconds=30, warm_up=0)

    assert got == [(503, b'')] * 2


def test_a_request_is_its_bytes() -> None:
    assert message(
        'POST', '/v1', {'Content_Type': 'text/plain'}, b'abc'
    ) == (b'POST /v1 HTTP/1.1\r\nHost: api.test\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc')
