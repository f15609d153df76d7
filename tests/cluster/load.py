"""People who write and read all the time, and note what they were told, and when."""
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from itertools import count
from typing import Any

from tests.support.members import Member
from tests.support.traefik import Traefik
from tests.support.traefik_client import Answer, Proxied
from tests.support.traefik_rig import new_address
from tests.support.waiting import wait_until

# Seconds between two requests of one person.
PAUSE = 0.05
# Fewer than one address may make before it must wait.
REQUESTS_OF_AN_ADDRESS = 100
# What whoever loses a part may be told.
TOLD_TO_RETRY = frozenset({'500', '502', '503', '504'})
_addresses = threading.Lock()


class Client:
    """Comes from another address now and then."""

    def __init__(self, traefik: Traefik) -> None:
        self._traefik = traefik
        self._requests = 0
        self._client: Proxied | None = None

    def ask(self, method: str, path: str, *arguments: Any) -> Answer | str:
        """Return the response, or the error's name."""
        if self._client is None or self._requests % REQUESTS_OF_AN_ADDRESS == 0:
            self.close()
            with _addresses:
                self._client = self._traefik.client(source=new_address())
        self._requests += 1
        try:
            if method == 'GET':
                return self._client.get(path)
            return self._client.send_json(method, path, *arguments)
        except (OSError, HTTPException) as error:
            self._client.close()
            return type(error).__name__

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


@dataclass
class Outcome:
    ended: float
    # A status, or an error's name.
    result: str

    @property
    def is_good(self) -> bool:
        return self.result in ('200', '201')


@dataclass(kw_only=True)
class Person:
    client: Client
    outcomes: list[Outcome] = field(default_factory=list)

    def run(self, stopping: threading.Event) -> None:
        raise NotImplementedError


@dataclass(kw_only=True)
class Writer(Person):
    """Numbers one project's title upwards, and publishes others under keys of its own."""

    member: Member
    project_id: int
    # When each number was acknowledged.
    numbers: list[tuple[float, int]] = field(default_factory=list)
    published: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f'/v1/projects/{self.project_id}'

    def run(self, stopping: threading.Event) -> None:
        for number in count(1):
            if self._until_good(stopping, 'PATCH', self.path, {'title': str(number)}, {}):
                self.numbers.append((time.monotonic(), number))
            title = f'{self.project_id}-{number}'
            project = {'title': title, 'body': 'text'}
            if self._until_good(stopping, 'POST', '/v1/projects', project, {'Idempotency-Key': title}):
                self.published.append(title)
            if stopping.is_set():
                return

    def _until_good(
        self, stopping: threading.Event, method: str, path: str, document: Any, headers: Mapping[str, str]
    ) -> bool:
        """The same request again and again."""
        while not stopping.wait(PAUSE):
            response = self.client.ask(method, path, document, {**self.member.bearer, **headers})
            result = response if isinstance(response, str) else str(response.status_code)
            self.outcomes.append(Outcome(time.monotonic(), result))
            if self.outcomes[-1].is_good:
                return True
        return False


@dataclass(kw_only=True)
class Reader(Person):
    """Asks without a token, so that cached responses are good enough."""

    writers: Sequence[Writer]
    # When it asked, whose project, and the number that it was shown.
    seen: list[tuple[float, Writer, int]] = field(default_factory=list)

    def run(self, stopping: threading.Event) -> None:
        for turn in count():
            if stopping.wait(PAUSE):
                return
            writer = self.writers[turn % len(self.writers)]
            asked = time.monotonic()
            response = self.client.ask('GET', writer.path)
            result = response if isinstance(response, str) else str(response.status_code)
            self.outcomes.append(Outcome(time.monotonic(), result))
            if isinstance(response, Answer) and response.status_code == HTTPStatus.OK:
                self.seen.append((asked, writer, int(response.json()['title'])))


@dataclass(frozen=True)
class Load:
    writers: Sequence[Writer]
    readers: Sequence[Reader]

    @contextmanager
    def running(self) -> Iterator[None]:
        stopping = threading.Event()
        people: list[Person] = [*self.writers, *self.readers]
        with ThreadPoolExecutor(len(people)) as pool:
            running = [pool.submit(each.run, stopping) for each in people]
            try:
                yield
            finally:
                stopping.set()
                for each in running:
                    each.result()
                for one in people:
                    one.client.close()

    def wait_until_good(self, since: float, times: int = 20) -> None:
        """Until the last so many requests of each were good, all since then."""

        def is_good(outcomes: Sequence[Outcome]) -> bool:
            last = outcomes[-times:]
            return len(last) == times and all(each.is_good and each.ended > since for each in last)

        everybody: list[Person] = [*self.writers, *self.readers]
        wait_until(lambda: all(is_good(each.outcomes) for each in everybody), 'all is good again')

    def wait_until_refused(self, since: float) -> None:
        wait_until(lambda: self.failed(since, reads=False)[0], 'a write fails')

    def failed(self, since: float, *, reads: bool) -> tuple[Counter[str], float]:
        """How requests failed since then, and when the last of them ended."""
        people: Sequence[Person] = self.readers if reads else self.writers
        bad = [
            each for one in people for each in list(one.outcomes) if each.ended > since and not each.is_good
        ]
        return Counter(each.result for each in bad), max((each.ended for each in bad), default=since)
