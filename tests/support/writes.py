"""All writes of the API: tests/e2e/test_races.py compares them with the OpenAPI document."""
from tests.support.account_attempts import ACCOUNT_ATTEMPTS
from tests.support.attempts import Prepare
from tests.support.project_attempts import PROJECT_ATTEMPTS, WITH_KEYS
from tests.support.session_attempts import SESSION_ATTEMPTS

# By the operation's id.
OPERATIONS: dict[str, Prepare] = {**ACCOUNT_ATTEMPTS, **SESSION_ATTEMPTS, **PROJECT_ATTEMPTS}
WRITES = OPERATIONS | WITH_KEYS
