"""The service's settings, with limits of slow clients that a test can wait for, or need not wait for.

`SLOW_CLIENTS` names constants of `slow_clients` and their values, as JSON.
"""
# pylint: disable=wildcard-import, unused-wildcard-import
import json
import os

from talelio_backend.gunicorn_config import *
from talelio_backend.server import slow_clients

for _name, _value in json.loads(os.environ['SLOW_CLIENTS']).items():
    assert hasattr(slow_clients, _name)
    setattr(slow_clients, _name, _value)
