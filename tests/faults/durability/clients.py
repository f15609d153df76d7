"""People who do all kinds of things with the service, and write down what they were told."""
import random
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from typing import Any

import requests
from PIL import Image
from urllib3.exceptions import NewConnectionError

from talelio_backend.app_account.business.ports import LinkPurpose, MailLink
from talelio_backend.app_account.data.jwt import JwtLinkTokens
from tests.faults.durability.ledger import Ledger, State
from tests.support.served_api import SECRET_KEY

PASSWORD = 'correct horse battery staple'
# Seconds; an answer that takes longer would be a fault of its own.
TIMEOUT = 30
# Seconds after which somebody tries again who has found nobody there.
PAUSE = 0.1

ACKNOWLEDGED, REFUSED, UNKNOWN = 'acknowledged', 'refused', 'unknown'


class Client:
    """One person at a time, who leaves now and then and is followed by another."""

    def __init__(self, url: str, ledger: Ledger, name: str, stopping: threading.Event) -> None:
        self._url = url
        self._ledger = ledger
        self._name = name
        self._stopping = stopping
        self._random = random.Random(name)
        self._numbers = 0
        self._session = requests.Session()
        self._forget()

    def _forget(self) -> None:
        self._email = ''
        self._token = ''
        # All that goes with the account, in the ledger's words.
        self._owned: set[tuple[str, str]] = set()
        # Ids, by the name under which the ledger knows them.
        self._projects: dict[str, int] = {}
        self._pictures: dict[str, int] = {}

    def run(self) -> None:
        with self._session:
            while not self._stopping.is_set():
                self._step()

    def _step(self) -> None:
        if not self._token:
            self._join()
            return
        steps: dict[Callable[[], None], int] = {
            self._publish: 6,
            self._publish_with_key: 3,
            self._edit: 6,
            self._withdraw: 2,
            self._upload: 3,
            self._delete_picture: 1,
            self._move: 2,
            self._log_in: 2,
            self._ask_for_password: 1,
            self._register_a_friend: 1,
            self._leave: 1,
        }
        self._random.choices(list(steps), list(steps.values()))[0]()

    def _new_name(self) -> str:
        self._numbers += 1
        return f'{self._name}-{self._numbers}'

    def _ask(
        self,
        operation: str,
        method: str,
        path: str,
        *changes: tuple[str, str, State],
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Any:
        """Ask for it, and note what that means for each (kind, name, state). Return what an answer holds.

        What was asked for counts as unknown from before it is sent.
        """
        things = [(self._ledger.thing(kind, name), state) for kind, name, state in changes]
        before = [set(thing.allowed) for thing, _ in things]
        for thing, state in things:
            thing.unknown(state)
        outcome, content = self._exchange(method, path, headers or {}, options)
        self._ledger.note(operation, outcome)
        for (thing, state), allowed in zip(things, before, strict=True):
            thing.history.append(f'{operation}: {outcome}')
            if outcome == ACKNOWLEDGED:
                thing.acknowledged(state)
            elif outcome == REFUSED:
                thing.allowed = allowed
        return content

    def _exchange(self, method: str, path: str, headers: Mapping[str, str],
                  options: Mapping[str, Any]) -> tuple[str, Any]:
        # Each from an address of its own, so that no limit of a network is met.
        sent = {'X-Forwarded-For': self._address(), **headers}
        if self._token:
            sent['Authorization'] = f'Bearer {self._token}'
        try:
            response = self._session.request(
                method, self._url + path, headers=sent, timeout=TIMEOUT, **options
            )
        except requests.RequestException as error:
            self._stopping.wait(PAUSE)
            return REFUSED if was_not_sent(error) else UNKNOWN, None
        if response.ok:
            return ACKNOWLEDGED, response.json() if response.content else None
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            told_to_retry = 'Retry-After' in response.headers
            if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE or not told_to_retry:
                self._ledger.strange.append(f'{method} {path}: {response.status_code} {response.text}')
            self._stopping.wait(PAUSE)
            return UNKNOWN, None
        if response.status_code not in (HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS):
            self._ledger.strange.append(f'{method} {path}: {response.status_code} {response.text}')
        return REFUSED, None

    def _address(self) -> str:
        return '.'.join(['10', *(str(self._random.randrange(1, 255)) for _ in range(3))])

    def _register(self) -> tuple[str, Any]:
        name = self._new_name()
        email = f'{name}@example.com'
        registration = {'email': email, 'password': PASSWORD, 'username': name}
        account = self._ask(
            'register',
            'POST',
            '/v1/accounts/register', ('account', email, 'new'), ('location', name, ''),
            json=registration
        )
        return email, account

    def _register_a_friend(self) -> None:
        """Who waits for the mail."""
        self._register()

    def _join(self) -> None:
        self._forget()
        email, account = self._register()
        if account is None:
            return
        link = MailLink(account['id'], email, 1)
        token = JwtLinkTokens(LinkPurpose.VERIFICATION, SECRET_KEY).issue(link, datetime.now(UTC))
        path = f'/v1/accounts/verify/{token}'
        if self._ask('verify', 'GET', path, ('account', email, 'verified')) is not None:
            self._email = email
            self._log_in()

    def _log_in(self) -> None:
        given = self._ask(
            'log in',
            'POST',
            '/v1/accounts/login', ('login', f'{self._email} {self._new_name()}', 'asked'),
            json={
                'email': self._email,
                'password': PASSWORD
            }
        )
        if given is not None:
            self._token = given['access_token']
            self._ledger.thing('token', self._token).acknowledged(self._email)

    def _publish(self) -> None:
        self._send_project(self._new_name())

    def _send_project(self, name: str, headers: Mapping[str, str] | None = None) -> bool:
        self._owned.add(('project', name))
        title = f'First {name}'
        project = self._ask(
            'publish with a key' if headers else 'publish',
            'POST',
            '/v1/projects', ('project', name, title),
            json={
                'title': title,
                'body': name
            },
            headers=headers
        )
        if project is not None:
            self._projects[name] = project['id']
        return project is not None

    def _publish_with_key(self) -> None:
        """Again and again, until there is an answer."""
        name = self._new_name()
        while not self._send_project(name, {'Idempotency-Key': name}) and not self._stopping.is_set():
            self._stopping.wait(PAUSE)

    def _edit(self) -> None:
        if self._projects:
            name, id_ = self._random.choice(list(self._projects.items()))
            path = f'/v1/projects/{id_}'
            title = f'After {self._new_name()}'
            project = self._ask('edit', 'PATCH', path, ('project', name, title), json={'title': title})
            if project is not None:
                self._look(path, title)

    def _look(self, path: str, title: str) -> None:
        """As everybody may, on a connection that may lead to the other worker: see what was just written."""
        try:
            response = requests.get(self._url + path, timeout=TIMEOUT)
        except requests.RequestException:
            return
        if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE and response.json().get('title') != title:
            self._ledger.strange.append(f'GET {path}: {response.text} instead of {title}')

    def _withdraw(self) -> None:
        if self._projects:
            name = self._random.choice(list(self._projects))
            self._ask('delete', 'DELETE', f'/v1/projects/{self._projects.pop(name)}', ('project', name, None))

    def _upload(self) -> None:
        name = self._new_name()
        file = BytesIO()
        # What no other picture has: by their size the database knows them apart.
        number = self._numbers
        Image.new('RGB', (400 + number, 300), (number % 256, 7, 77)).save(file, 'PNG')
        picture = f'{self._email}/{400 + number}'
        self._owned.add(('picture', picture))
        document = self._ask(
            'upload',
            'POST',
            '/v1/assets/images', ('picture', picture, 'there'),
            files={name: (name, file.getvalue())}
        )
        if document is not None:
            self._pictures[picture] = document['images'][0]['id']

    def _delete_picture(self) -> None:
        if self._pictures:
            name = self._random.choice(list(self._pictures))
            path = f'/v1/assets/images/{self._pictures.pop(name)}'
            self._ask('delete a picture', 'DELETE', path, ('picture', name, None))

    def _move(self) -> None:
        name = self._email.partition('@')[0]
        place = f'Place {self._new_name()}'
        self._ask('move', 'PATCH', '/v1/users/me', ('location', name, place), json={'location': place})

    def _ask_for_password(self) -> None:
        self._ask(
            'ask for a password',
            'POST',
            '/v1/accounts/password/forgot', ('wish', self._email, 'asked'),
            json={'email': self._email}
        )

    def _leave(self) -> None:
        name = self._email.partition('@')[0]
        self._ask(
            'leave',
            'DELETE',
            '/v1/accounts/me', ('account', self._email, None), ('location', name, None),
            *((kind, each, None) for kind, each in self._owned),
            json={'password': PASSWORD}
        )
        self._forget()


def was_not_sent(error: requests.RequestException) -> bool:
    """Whether there was nobody to send it to."""
    return isinstance(getattr(error.args[0] if error.args else None, 'reason', None), NewConnectionError)
