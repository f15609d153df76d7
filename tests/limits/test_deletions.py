"""How long the deletion of a large account takes, compared with what the database allows a statement."""
import time

from sqlalchemy import Engine

from tests.limits.ratios import median_ratio
from tests.support.backings import RealBacking, committed_account
from tests.support.engines import scalar

STATEMENT_TIMEOUT = 5.0
PROJECTS = """
    INSERT INTO projects (user_id, created_at, title, body, html)
    SELECT :user_id, now(), '', '', '' FROM generate_series(1, 3000)
"""


def test_an_account_with_thousands_of_projects_goes_within_the_time_of_a_statement(engine: Engine) -> None:

    def measure() -> tuple[float, float]:
        user = committed_account(RealBacking(engine)).user
        scalar(engine, PROJECTS, user_id=user.id)
        began = time.monotonic()
        scalar(engine, 'DELETE FROM accounts')
        return time.monotonic() - began, STATEMENT_TIMEOUT

    assert median_ratio(measure) < 1
