"""How long a refused login takes tells as little as its answer."""
import time
from contextlib import closing
from http import HTTPStatus
from statistics import median

import requests

from tests.e2e.conftest import Serve
from tests.limits.ratios import median_ratio
from tests.support.database import connect, execute
from tests.support.members import join, new_person, register
from tests.support.served_api import TIMEOUT

# Of each of the three kinds in a round, by turns.
TRIES = 60
# Fewer than close an account.
UNTIL_FORGOTTEN = 9
# The highest median by the lowest.
MOST_DIFFERENCE = 1.05


def test_the_medians_of_refused_logins_do_not_tell_who_has_an_account(
    serve: Serve, database_url: str
) -> None:
    # As costly as need be for the hash to be most of the time, as it is in production.
    api = serve(database_url, {'BCRYPT_COST': '10', 'WEB_CONCURRENCY': '1'})
    unverified = new_person()
    register(api, unverified)
    emails = [new_person().email, join(api).person.email, unverified.email]
    with requests.Session() as session, closing(connect(database_url)) as database:

        def seconds(email: str) -> float:
            body = {'email': email, 'password': 'not the right one'}
            began = time.perf_counter()
            response = session.post(f'{api.url}/v1/accounts/login', json=body, timeout=TIMEOUT)
            ended = time.perf_counter()
            assert response.status_code == HTTPStatus.UNAUTHORIZED
            return ended - began

        def highest_and_lowest() -> tuple[float, float]:
            taken: dict[str, list[float]] = {email: [] for email in emails}
            for number in range(TRIES):
                if number % UNTIL_FORGOTTEN == 0:
                    execute(database, 'DELETE FROM rate_limit_counters')
                for email in emails:
                    taken[email].append(seconds(email))
            medians = [median(times) for times in taken.values()]
            return max(medians), min(medians)

        assert median_ratio(highest_and_lowest) <= MOST_DIFFERENCE
