"""The health check of a container: `python -m talelio_backend.healthcheck`.

Until the container has been ready once, it checks readiness: a broken release must not replace the previous
one. Afterwards it checks liveness: replacing the container would not help an unavailable database.
"""
import os
import sys
import tempfile
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

# Seconds; less than the timeout of the container's health check.
_TIMEOUT = 4.0


def main() -> int:
    # Deleted with the container.
    was_ready = Path(tempfile.gettempdir()) / 'talelio-was-ready'
    path = '/health/live' if was_ready.exists() else '/health/ready'
    with closing(HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=_TIMEOUT)) as server:
        try:
            server.request('GET', path)
            status = server.getresponse().status
        except (OSError, HTTPException) as error:
            print(f'{path}: {error}', file=sys.stderr)
            return 1
    if status != 200:
        print(f'{path}: {status}', file=sys.stderr)
        return 1
    was_ready.touch()
    return 0


if __name__ == '__main__':
    sys.exit(main())
