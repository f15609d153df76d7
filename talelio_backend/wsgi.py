"""What Gunicorn loads: the application, built from the environment."""
import atexit
import logging.config
from contextlib import ExitStack

from talelio_backend.bootstrap import build
from talelio_backend.config import Settings
from talelio_backend.database_url import open_database
from talelio_backend.logs import logging_config

_settings = Settings.from_env()
logging.config.dictConfig(logging_config(_settings))
_resources = ExitStack()
atexit.register(_resources.close)

backend = build(_settings, _resources.enter_context(open_database(_settings)))
_resources.callback(backend.close)

app = backend.app
