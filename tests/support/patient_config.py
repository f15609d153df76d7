"""The service's settings, but it waits for its engine as long as a test may last.

For tests that hold a request at a lock: on a busy machine, the service might give it up too early.
"""
# pylint: disable=wildcard-import, unused-wildcard-import
from talelio_backend.app_asset.data import image_repository
from talelio_backend.gunicorn_config import *
from talelio_backend.shared.data import connections, engine

# Seconds; beyond any test's own timeout.
_FOR_EVER = 600

image_repository.LOCK_TIMEOUT = _FOR_EVER
connections.ANSWER_TIMEOUT = connections.CONNECT_TIMEOUT = _FOR_EVER
engine.POOL_TIMEOUT = _FOR_EVER
for _name in 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout':
    engine.SESSION_SETTINGS[_name] = f'{_FOR_EVER}s'
