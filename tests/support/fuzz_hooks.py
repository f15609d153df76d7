"""What makes schemathesis come further than random values do: a login, pictures, and people who exist."""
import os
from base64 import b64decode
from typing import Any

import requests
import schemathesis

from tests.support.waiting import PATIENCE

# One pixel.
_PNG = b64decode(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC'
)
_UPLOADS = ('/v1/assets/images', '/v1/users/me/avatar')


@schemathesis.auth(refresh_interval=None)
class Login:
    """Logs in, and again when a call has ended the session."""

    token: str | None = None

    def get(self, _case: Any, _context: Any) -> str:
        if Login.token is None:
            credentials = {'email': os.environ['FUZZ_EMAIL'], 'password': os.environ['FUZZ_PASSWORD']}
            answer = requests.post(
                f'{os.environ["FUZZ_URL"]}/v1/accounts/login', json=credentials, timeout=PATIENCE
            )
            answer.raise_for_status()
            Login.token = answer.json()['access_token']
        return Login.token

    def set(self, case: Any, token: str, _context: Any) -> None:
        case.headers = {**(case.headers or {}), 'Authorization': f'Bearer {token}'}


@schemathesis.hook('after_call')
def notice_the_end_of_a_session(_context: Any, _case: Any, response: schemathesis.Response) -> None:
    sent = str(response.request.headers.get('Authorization', ''))
    if response.status_code == requests.codes['forbidden'] and sent == f'Bearer {Login.token}':
        Login.token = None


@schemathesis.hook('map_body')
def send_a_picture(context: schemathesis.HookContext, body: Any) -> Any:
    """In place of every second text of a form; the rest stays random."""
    is_upload = context.operation is not None and context.operation.path in _UPLOADS
    if not is_upload or not isinstance(body, dict):
        return body
    return {name: _PNG if number % 2 == 0 else value for number, (name, value) in enumerate(body.items())}


@schemathesis.hook('map_path_parameters')
def name_somebody(_context: schemathesis.HookContext, parameters: Any) -> Any:
    """Somebody who exists, in place of every second name."""
    if isinstance(parameters, dict) and isinstance(parameters.get('username'), str):
        if len(parameters['username']) % 2:
            return parameters | {'username': os.environ['FUZZ_USERNAME']}
    return parameters
