"""What every answer of one kind looks like, to the letter of the contract."""
import re
from http import HTTPStatus
from typing import Any, Protocol

from talelio_backend.shared.presentation.errors.problem_details import reason_phrase

ACCOUNT_KEYS = ['id', 'created_at', 'updated_at', 'verified', 'email', 'user']
USER_KEYS = ['id', 'account_id', 'created_at', 'updated_at', 'username', 'location', 'avatar_url']
PROJECT_KEYS = [
    'id', 'user_id', 'created_at', 'updated_at', 'title', 'body', 'html', 'slug', 'summary', 'status',
    'published_at', 'tags', 'cover_image', 'position', 'toc', 'reading_time_minutes', 'url'
]
CODE = re.compile(r'[a-z]+(_[a-z]+)*')
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


def ok(response: AnyAnswer, status: HTTPStatus = HTTPStatus.OK) -> Any:
    """The JSON of an answer with this status."""
    assert response.status_code == status, response.text
    assert response.headers.get('Content-Type') == 'application/json'
    return response.json()


def error_of(response: AnyAnswer, status: HTTPStatus) -> str:
    """The message of an error with this status, in the envelope and nothing else."""
    return str(error_in(response, status)['message'])


def error_in(response: AnyAnswer, status: HTTPStatus) -> dict[str, Any]:
    """What the envelope of an error with this status holds."""
    assert response.status_code == status, response.text
    assert response.headers.get('Content-Type') == 'application/json'
    document = response.json()
    error: dict[str, Any] = document['error']
    assert list(document) == ['error']
    assert isinstance(error['message'], str) and error['message']
    assert (error['status'], error['type']) == (status.value, reason_phrase(status))
    assert CODE.fullmatch(error['code'])
    assert error.keys() - {'details'} == {'message', 'status', 'type', 'code'}
    for detail in error.get('details', ()):
        assert detail.keys() == {'in', 'pointer', 'reason'}
    if status == HTTPStatus.UNAUTHORIZED:
        assert response.headers['WWW-Authenticate'].startswith('Bearer ')
    return error


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
