"""The WSGI application, built from the environment."""
import atexit
import logging.config
import os
from contextlib import ExitStack
from pathlib import Path

from talelio_backend.bootstrap import build
from talelio_backend.observability.log_format import logging_config
from talelio_backend.observability.metrics.sharing import FOLDER_VARIABLE
from talelio_backend.settings import Settings
from talelio_backend.settings.database import open_database

_settings = Settings.from_env()
logging.config.dictConfig(logging_config(_settings))
_resources = ExitStack()
atexit.register(_resources.close)

_metrics_folder = os.environ.get(FOLDER_VARIABLE)
backend = build(
    _settings,
    _resources.enter_context(open_database(_settings)),
    Path(_metrics_folder) if _metrics_folder else None,
)
_resources.callback(backend.close)

app = backend.app
