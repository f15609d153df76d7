"""People who read, and now and then write, and note what they were told to be done."""
import gzip
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from io import BytesIO
from itertools import count
from typing import Any

from PIL import Image

from tests.benchmarks.pictures import photograph
from tests.benchmarks.rig import BODY
from tests.faults.durability.ledger import Ledger, State
from tests.soak.verdict import EXPECTED, Judgement, Outcome, judge
from tests.support.members import Member, new_person
from tests.support.traefik import Traefik
from tests.support.traefik_client import Answer

_BOUNDARY = 'between-the-parts-of-a-form'
# Seconds; less than a token is good for.
_TOKEN_AGE = 600.0
_PHOTOGRAPH = (1600, 1200)


@dataclass(frozen=True)
class Shown:
    """What everybody reads, and nobody changes."""

    list_path: str
    list_etag: str
    list_content: bytes
    project_path: str
    project_content: bytes


class Visitor:
    """One person at one address, who does one thing after the other on a connection that is kept."""

    def __init__(self, number: int, traefik: Traefik, member: Member, shown: Shown, ledger: Ledger) -> None:
        self._client = traefik.client(source=f'127.2.{number // 250}.{number % 250 + 1}')
        self._number = number
        self._member = member
        self._token = member.token
        self._token_since = time.monotonic()
        self._shown = shown
        self._ledger = ledger
        self._numbers = count(1)
        # Ids of projects, by their mark.
        self._own: dict[str, int] = {}
        self._kinds: dict[str, Callable[[], tuple[Answer, str]]] = {
            'list': self._list,
            'list, gzip': self._list_gzip,
            'project': self._project,
            'not modified': self._not_modified,
            'publish': self._publish,
            'change': self._change,
            'delete': self._delete,
            'upload': self._upload,
            'register': self._register,
            'login': self._log_in,
        }

    def close(self) -> None:
        self._client.close()

    def do(self, kind: str, due: float, clock: Callable[[], float]) -> Outcome:
        """`clock` tells the seconds since the run began."""
        if kind in ('change', 'delete') and not self._own:
            kind = 'publish'
        if kind in ('publish', 'change', 'delete', 'upload') and self._is_token_old():
            kind = 'login'
        try:
            response, fault = self._kinds[kind]()
        except (OSError, HTTPException) as error:
            self._client.close()
            return Outcome(kind, due, clock() - due, fault=type(error).__name__, said=str(error))
        said = '' if response.status_code == EXPECTED[kind] else response.content[:200].decode(
            errors='replace'
        )
        return Outcome(
            kind, due,
            clock() - due, response.status_code, 'Retry-After' in response.headers, fault, said
        )

    def _is_token_old(self) -> bool:
        return time.monotonic() - self._token_since > _TOKEN_AGE

    def _list(self) -> tuple[Answer, str]:
        response = self._client.get(self._shown.list_path)
        return response, _compare(response, response.content, self._shown.list_content)

    def _list_gzip(self) -> tuple[Answer, str]:
        response = self._client.get(self._shown.list_path, {'Accept-Encoding': 'gzip'})
        is_packed = response.headers.get('Content-Encoding') == 'gzip'
        content = gzip.decompress(response.content) if is_packed else response.content
        return response, _compare(response, content, self._shown.list_content)

    def _project(self) -> tuple[Answer, str]:
        response = self._client.get(self._shown.project_path)
        return response, _compare(response, response.content, self._shown.project_content)

    def _not_modified(self) -> tuple[Answer, str]:
        return self._client.get(self._shown.list_path, {'If-None-Match': self._shown.list_etag}), ''

    def _log_in(self) -> tuple[Answer, str]:
        response = self._client.post('/v1/accounts/login', self._member.person.login)
        if response.status_code == EXPECTED['login']:
            self._token = response.json()['access_token']
            self._token_since = time.monotonic()
        return response, ''

    def _publish(self) -> tuple[Answer, str]:
        mark = f'v{self._number}-{next(self._numbers)}'
        project = {'title': 'As it was', 'body': f'{BODY}\n\n{mark}'}
        response = self._write('publish', 'POST', '/v1/projects', ('project', mark, 'As it was'), project)
        if response.status_code == EXPECTED['publish']:
            self._own[mark] = response.json()['id']
        return response, ''

    def _change(self) -> tuple[Answer, str]:
        mark = list(self._own)[-1]
        title = f'Chair {next(self._numbers)}'
        project = {'title': title, 'body': f'{BODY} {title}\n\n{mark}'}
        path = f'/v1/projects/{self._own[mark]}'
        return self._write('change', 'PATCH', path, ('project', mark, title), project), ''

    def _delete(self) -> tuple[Answer, str]:
        mark = next(iter(self._own))
        path = f'/v1/projects/{self._own.pop(mark)}'
        return self._write('delete', 'DELETE', path, ('project', mark, None)), ''

    def _upload(self) -> tuple[Answer, str]:
        # What no other picture has: by their width the database knows them apart.
        width = _PHOTOGRAPH[0] + next(self._numbers)
        content = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'.encode() +
            new_photograph(self._number, width) + f'\r\n--{_BOUNDARY}--\r\n'.encode()
        )
        name = f'{self._member.person.email}/{width}'
        headers = {'Content-Type': f'multipart/form-data; boundary={_BOUNDARY}'}
        path = '/v1/assets/images'
        return self._write('upload', 'POST', path, ('picture', name, 'there'), content, headers), ''

    def _register(self) -> tuple[Answer, str]:
        person = new_person()
        change = ('account', person.email, 'new')
        return self._write('register', 'POST', '/v1/accounts/register', change, person.registration), ''

    def _write(
        self,
        kind: str,
        method: str,
        path: str,
        change: tuple[str, str, State],
        content: Any = None,
        headers: Mapping[str, str] | None = None
    ) -> Answer:
        """What is asked for counts as unknown from before it is sent."""
        thing_kind, name, state = change
        thing = self._ledger.thing(thing_kind, name)
        before = set(thing.allowed)
        thing.unknown(state)
        if content is not None and not isinstance(content, bytes):
            content = json.dumps(content).encode()
            headers = {'Content-Type': 'application/json'}
        sent = {'Authorization': f'Bearer {self._token}', **(headers or {})}
        response = self._client.ask(method, path, content, sent)
        thing.history.append(f'{kind}: {response.status_code}')
        outcome = Outcome(kind, 0, 0, response.status_code)
        if judge(outcome) is Judgement.SERVED:
            thing.acknowledged(state)
        elif response.status_code < 500:
            thing.allowed = before
        return response


def _compare(response: Answer, content: bytes, wanted: bytes) -> str:
    return 'another body' if response.status_code == 200 and content != wanted else ''


_BASE: dict[int, Image.Image] = {}


def new_photograph(seed: int, width: int) -> bytes:
    """A JPEG of some hundred kB that was never sent before."""
    base = _BASE.get(seed % 4)
    if base is None:
        base = _BASE[seed % 4] = Image.open(BytesIO(photograph(seed % 4, _PHOTOGRAPH))).convert('RGB')
    file = BytesIO()
    base.resize((width, _PHOTOGRAPH[1])).save(file, 'JPEG', quality=85)
    return file.getvalue()
