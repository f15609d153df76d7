"""How long a refused login takes tells as little as its answer."""
import time
from contextlib import closing
from http import HTTPStatus
from statistics import median

import requests

from tests.e2e.conftest import Serve
from tests.support.database import connect, execute
from tests.support.members import join, new_person, register

# Of each kind in a round; the three kinds by turns, as the machine may have other work, too.
TRIES = 100
# Fewer than close an account.
UNTIL_FORGOTTEN = 9
# Between the medians of the kinds, as a part of the least.
MOST_DIFFERENCE = 0.05
# Where other work makes the medians differ after the first round, more tries tell noise from a leak.
ROUNDS = 5


def test_the_medians_of_three_hundred_refused_logins_do_not_tell_who_has_an_account(
    serve: Serve, database_url: str
) -> None:
    # As costly as need be for the hash to be most of the time, as it is in production.
    api = serve(database_url, {'BCRYPT_COST': '10', 'WEB_CONCURRENCY': '1'})
    unverified = new_person()
    register(api, unverified)
    emails = [new_person().email, join(api).person.email, unverified.email]
    differences = []
    taken: dict[str, list[float]] = {email: [] for email in emails}
    with requests.Session() as session, closing(connect(database_url)) as database:

        def seconds(email: str) -> float:
            body = {'email': email, 'password': 'not the right one'}
            began = time.perf_counter()
            answer = session.post(f'{api.url}/v1/accounts/login', json=body, timeout=20)
            ended = time.perf_counter()
            assert answer.status_code == HTTPStatus.UNAUTHORIZED
            return ended - began

        for _ in range(ROUNDS):
            for number in range(TRIES):
                if number % UNTIL_FORGOTTEN == 0:
                    execute(database, 'DELETE FROM rate_limit_counters')
                for email in emails:
                    taken[email].append(seconds(email))
            medians = [median(times) for times in taken.values()]
            differences.append(max(medians) / min(medians) - 1)
            if differences[-1] <= MOST_DIFFERENCE:
                return
    raise AssertionError(f'between the medians: {differences}')
