"""Gunicorn's settings for the floors: the service's own, all of them, without the service."""
# pylint: disable=invalid-name
from typing import Any

from talelio_backend import gunicorn_config

globals().update({name: value for name, value in vars(gunicorn_config).items() if not name.startswith('_')})

wsgi_app = 'tests.benchmarks.floors:app'


def post_worker_init(_worker: Any) -> None:
    """Nothing of the service is there to be started."""
