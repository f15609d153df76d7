"""Many logins with wrong passwords, from one address."""
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

from tests.soak.verdict import FLOOD, Outcome
from tests.support.members import Person
from tests.support.traefik import Traefik

_CLIENTS = 16
_ADDRESS = '127.9.9.9'


def flood(traefik: Traefik, people: Sequence[Person], requests: int, clock: Callable[[],
                                                                                     float]) -> list[Outcome]:
    """Send so many, each client the next as soon as it has an answer."""
    outcomes: list[Outcome] = []
    numbers = iter(range(requests))
    lock = threading.Lock()

    def send() -> None:
        with traefik.client(source=_ADDRESS) as client:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                wrong = {'email': people[number % len(people)].email, 'password': f'not this one, {number}'}
                due = clock()
                try:
                    response = client.post('/v1/accounts/login', wrong)
                except (OSError, HTTPException) as error:
                    client.close()
                    outcomes.append(
                        Outcome(FLOOD, due, clock() - due, fault=type(error).__name__, said=str(error))
                    )
                    continue
                outcomes.append(
                    Outcome(
                        FLOOD,
                        due,
                        clock() - due,
                        response.status_code,
                        'Retry-After' in response.headers,
                        said=response.content[:200].decode(errors='replace')
                    )
                )

    with ThreadPoolExecutor(_CLIENTS) as pool:
        for client in [pool.submit(send) for _ in range(_CLIENTS)]:
            client.result()
    return outcomes
