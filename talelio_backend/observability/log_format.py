"""Log formats: JSON in production, text in development, both without tokens."""
import json
import logging
import re
import time
from typing import Any

from pythonjsonlogger.orjson import OrjsonFormatter

from talelio_backend.settings import Env, Settings
from talelio_backend.shared.presentation.requests.access_log import request_id

# Cheap test before the pattern below, which few lines match.
_MARKS = ('eyJ', '/accounts/verify/', '/password/reset/', '/email/confirm/', '/email/revoke/')
# JWTs, and the last segment of paths with tokens.
_TOKEN = re.compile(
    r'eyJ[\w-]*\.[\w-]*(?:\.[\w-]*)?|'
    r'(?:(?<=/accounts/verify/)(?!resend\b)|(?<=/password/reset/)|(?<=/email/confirm/)|(?<=/email/revoke/))'
    r'[^\s"\'?\\]+'
)
_REDACTED = '<redacted>'

# Unused attributes take a tenth of the time of a log line.
# https://docs.python.org/3/howto/logging.html#optimization
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None  # pylint: disable=protected-access


class AddRequestId(logging.Filter):

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class NoTraceOfSilentClients(logging.Filter):
    """Drops errors that Gunicorn logs for clients that stop responding."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], (TimeoutError, BlockingIOError)))


class JsonLines(OrjsonFormatter):
    """One JSON object per line, with `extra` values as members."""

    converter = staticmethod(time.gmtime)
    default_time_format = '%Y-%m-%dT%H:%M:%S'
    default_msec_format = '%s.%03dZ'

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        line = super().jsonify_log_record(log_data)
        # Some readers treat other characters as line breaks, too.
        return line if line.isascii() else json.dumps(log_data, default=str)

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class TextLines(logging.Formatter):

    def formatMessage(self, record: logging.LogRecord) -> str:  # pylint: disable=invalid-name
        # Prevents log injection by line breaks in paths.
        return ''.join(c if c.isprintable() else ascii(c)[1:-1] for c in super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def redact(line: str) -> str:
    """Remove tokens, which may occur in paths, quoted headers and messages of exceptions."""
    return _TOKEN.sub(_REDACTED, line) if any(mark in line for mark in _MARKS) else line


def logging_config(settings: Settings) -> dict[str, Any]:
    """For `logging.config.dictConfig` and Gunicorn's `logconfig_dict`."""
    own = {'handlers': ['stderr'], 'level': settings.log_level, 'propagate': False}
    return {
        'version': 1,
        'disable_existing_loggers': False,
        'filters': {
            'request_id': {
                '()': AddRequestId
            },
            'silent_clients': {
                '()': NoTraceOfSilentClients
            },
        },
        'formatters': {
            'json': {
                '()': JsonLines,
                'format': '%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s',
                'rename_fields': {
                    'asctime': 'time',
                    'levelname': 'level',
                    'name': 'logger'
                },
            },
            'text': {
                '()': TextLines,
                'format': '%(asctime)s %(levelname)-7s %(message)s [%(request_id)s]',
                'datefmt': '%H:%M:%S',
            },
        },
        'handlers': {
            'stderr': {
                'class': 'talelio_backend.observability.batching_handler.BatchingHandler',
                'formatter': 'text' if settings.env is Env.DEVELOPMENT else 'json',
                'filters': ['request_id'],
            }
        },
        'root': {
            'handlers': ['stderr'],
            'level': 'WARNING'
        },
        'loggers': {
            'talelio_backend': own,
            # SQLAlchemy names a pool's logger after its class.
            'talelio_backend.observability.metrics.database.MeasuredPool': {
                'level': 'WARNING'
            },
            'gunicorn.error': own | {
                'filters': ['silent_clients']
            },
        },
    }
