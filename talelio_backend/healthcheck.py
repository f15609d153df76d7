"""The health check of a container: `python -m talelio_backend.healthcheck`.

Unhealthy is a container that never became ready: a release that cannot do its work must not replace the one
before it. Once it has been ready, it is healthy as long as it answers: another container would mend no
database that is away.
"""
import os
import sys
import tempfile
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

# Seconds. Less than whoever runs the check allows it.
_TIMEOUT = 4.0


def main() -> int:
    # Gone with the container, in whose own memory it lies.
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
