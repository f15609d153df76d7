"""What every answer of one kind looks like, to the letter of the contract."""
import re
from http import HTTPStatus
from typing import Any, Protocol

from talelio_backend.shared.presentation.reason_phrase import reason_phrase

ACCOUNT_KEYS = ['id', 'created_at', 'updated_at', 'verified', 'email', 'user']
USER_KEYS = ['id', 'account_id', 'created_at', 'updated_at', 'username', 'location', 'avatar_url']
PROJECT_KEYS = ['id', 'user_id', 'created_at', 'updated_at', 'title', 'body', 'html']
TIME = re.compile(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}')


class AnyAnswer(Protocol):

    @property
    def status_code(self) -> int:
        ...

    @property
    def headers(self) -> Any:
        """A mapping that takes no note of letter case."""

    @property
    def text(self) -> str:
        ...

    def json(self) -> Any:
        ...


def ok(answer: AnyAnswer, status: HTTPStatus = HTTPStatus.OK) -> Any:
    """The JSON of an answer with this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers.get('Content-Type') == 'application/json'
    return answer.json()


def error_of(answer: AnyAnswer, status: HTTPStatus) -> str:
    """The message of an error with this status, in the envelope and nothing else."""
    assert answer.status_code == status, answer.text
    assert answer.headers.get('Content-Type') == 'application/json'
    document = answer.json()
    message = document['error']['message']
    assert isinstance(message, str) and message
    assert document == {'error': {'message': message, 'status': status.value, 'type': reason_phrase(status)}}
    return message


def assert_account(account: Any, *, email: str, username: str, verified: bool) -> None:
    user = account['user']
    assert list(account) == ACCOUNT_KEYS
    assert list(user) == USER_KEYS
    assert isinstance(account['id'], int) and isinstance(user['id'], int)
    assert TIME.fullmatch(account['created_at']) and TIME.fullmatch(user['created_at'])
    assert account['updated_at'] is None or TIME.fullmatch(account['updated_at'])
    assert (account['email'], account['verified']) == (email, verified)
    assert (user['account_id'], user['username']) == (account['id'], username)
    assert (user['location'], user['avatar_url']) == ('', 'default.jpg')
