"""The check that every answer of the served API goes through can fail."""
import json
from typing import Any

import pytest
from requests import PreparedRequest, Response

from tests.support.documented_api import Undocumented, check_answer

USER = {
    'id': 1,
    'account_id': 1,
    'created_at': '2026-11-23 12:30:59.123456',
    'updated_at': None,
    'username': 'maker',
    'location': '',
    'avatar_url': 'default.jpg',
}
GONE = {
    'error': {
        'message': 'There is nothing at this path',
        'status': 404,
        'type': 'Not Found',
        'code': 'not_found',
    }
}


def response(
    method: str,
    path: str,
    status: int,
    content: Any = None,
    headers: dict[str, str] | None = None
) -> Response:
    made = Response()
    made.request = PreparedRequest()
    made.request.prepare(method, f'http://127.0.0.1:1{path}')
    made.status_code = status
    made.headers.update({'X-Request-ID': '0' * 32, 'Content-Type': 'application/json'} | (headers or {}))
    made._content = b'' if content is None else json.dumps(content).encode()  # pylint: disable=protected-access
    return made


@pytest.mark.parametrize('given', [
    response('GET', '/v1/users/maker', 200, USER),
    response('GET', '/v1/users/m%C3%A4ker?x=1', 200, USER),
    response('HEAD', '/v1/users/maker', 200),
    response('DELETE', '/v1/assets/images/7', 204),
    response('GET', '/nowhere', 404, GONE),
    response('GET', '/v1/assets/images/x', 404, GONE),
    response('GET', '/v1/assets/files/1/images/x.png', 200, headers={'Content-Type': 'image/png'}),
])  # yapf: disable
def test_what_the_document_says_passes(given: Response) -> None:
    check_answer(given)


@pytest.mark.parametrize(('given', 'fault'), [
    (response('GET', '/v1/users/maker', 201, USER), '201: the status is not documented'),
    (response('GET', '/v1/users/maker', 200, USER | {'id': '1'}), r"\$\.id '1' is not of type 'integer'"),
    (response('GET', '/v1/users/maker', 200, USER | {'created_at': '2026-11-23'}), r'\$\.created_at'),
    (response('GET', '/v1/users/maker', 200, USER | {'secret': 1}), "'secret' was unexpected"),
    (response('GET', '/v1/users/maker', 200, {}), "'id' is a required property"),
    (response('GET', '/v1/assets/images', 200, {}), 'is not of type'),
    (response('GET', '/v1/users/maker', 200, USER, {'Content-Type': 'text/html'}), "'text/html' is not"),
    (response('GET', '/v1/users/maker', 200, USER, {'X-Request-ID': ''}), 'no X-Request-ID'),
    (response('GET', '/v1/users/maker', 503, GONE), 'no Retry-After'),
    (response('DELETE', '/v1/assets/images/7', 204, USER), 'a body where none is documented'),
    (response('GET', '/nowhere', 200, USER), 'no such call'),
    (response('POST', '/v1/users/maker', 405, GONE), 'no Allow'),
    (response('GET', '/nowhere', 404, {'detail': 'nothing'}), "'error' is a required property"),
])  # yapf: disable
def test_what_differs_from_the_document_is_told(given: Response, fault: str) -> None:
    with pytest.raises(Undocumented, match=fault):
        check_answer(given)
