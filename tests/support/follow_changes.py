"""Keeps a folder in step with what is public: `python follow_changes.py http://127.0.0.1:5000 FOLDER`.

An example for whoever builds a site: the first run fetches everything, each later one what is new. A run
that is broken off is made good by the next.
"""
import json
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen


def main(api: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    place = folder / 'cursor'
    since = place.read_text(encoding='ascii') if place.exists() else None
    try:
        told, cursor = follow(api, folder, since)
    except HTTPError as error:
        with error:
            if error.code != HTTPStatus.GONE:
                raise
        since = None
        told, cursor = follow(api, folder, since)
    if since is None:
        for path in folder.glob('*.json'):
            if path.stem not in told:
                path.unlink()
    # At the end: what a run did that got no further is done again.
    place.write_text(cursor, encoding='ascii')
    print(f'{"everything" if since is None else "what is new"}: {len(told)} projects')


def follow(api: str, folder: Path, since: str | None) -> tuple[set[str], str]:
    """Return the ids of which something was told, and where to go on."""
    told = set()
    while True:
        with urlopen(f'{api}/v1/changes?' + urlencode({'since': since} if since else {})) as response:
            page: dict[str, Any] = json.load(response)
        for change in page['changes']:
            path = folder / f"{change['id']}.json"
            told.add(path.stem)
            if change['removed']:
                path.unlink(missing_ok=True)
            else:
                path.write_text(json.dumps(change['project'], indent=2), encoding='utf-8')
        since = page['next']
        if not page['has_more']:
            return told, since


if __name__ == '__main__':
    main(sys.argv[1], Path(sys.argv[2]))
