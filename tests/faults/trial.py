"""A write while something is broken, and what has to be true then and afterwards."""
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from requests import Response

from tests.faults.invariants import check_rows, check_store
from tests.support.answers import error_of
from tests.support.attempts import Attempt
from tests.support.database import connect
from tests.support.served_api import ServedApi
from tests.support.uploads import sweep

# Seconds: an answer that takes longer does not come by itself.
HANGS = 60


class Outcome(Enum):
    """What a client may hear of a write."""

    SERVED = 'it is carried out'
    REFUSED = 'a 503 that says when to come back, and nothing of it is there'
    EITHER = 'it is carried out, or a 503 that says when to come back; nothing of it is there in part'


@dataclass(frozen=True, kw_only=True)
class Service:
    """A served API, and ways to what it keeps that no fault is in."""

    api: ServedApi
    database_url: str
    stored: Callable[[], set[str]]

    def check(self) -> None:
        """Look at everything that is kept. What only the sweep can find, it finds."""
        check_rows(self.database_url)
        if check_store(self.database_url, self.stored()):
            sweep(self.api)
            assert check_store(self.database_url, self.stored()) == set()


def is_served(response: Response, attempt: Attempt, outcome: Outcome) -> bool:
    if outcome is Outcome.REFUSED or response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        assert outcome is not Outcome.SERVED, response.text
        error_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
        assert int(response.headers['Retry-After']) >= 1
        return False
    assert response.status_code == attempt.success, response.text
    return True


def is_done(service: Service, attempt: Attempt) -> bool:
    """Neither half of it, nor more than once."""
    with closing(connect(service.database_url)) as database:
        traces = attempt.traces(database)
    assert traces in (attempt.after(0), attempt.after(1)), 'it is there in part'
    return traces == attempt.after(1)


def check_suffered(service: Service, attempt: Attempt, response: Response, outcome: Outcome) -> None:
    """To be called while the fault lasts, or after it."""
    assert response.elapsed.total_seconds() < HANGS
    served = is_served(response, attempt, outcome)
    if served:
        assert is_done(service, attempt), 'it was acknowledged, and is not there'
    if outcome is Outcome.REFUSED:
        assert not is_done(service, attempt), 'it was refused, and is there'


def check_mended(service: Service, attempt: Attempt) -> None:
    """The fault is over: everything is whole, and the client, who does not know, sends it again."""
    service.check()
    was_done = is_done(service, attempt)
    response = attempt.send()
    allowed = attempt.late if was_done else {attempt.success} | attempt.unsure
    assert response.status_code in allowed, response.text
    if not was_done and response.status_code == attempt.success:
        assert is_done(service, attempt)
    service.check()
