import time

import pytest
from flask import Flask

from talelio_backend.app_account.presentation.schemas import ClaimBody, LoginBody, RegisterBody, ResendBody
from talelio_backend.shared.business.errors import Invalid
from talelio_backend.shared.presentation.requests.json_body import read_body
from talelio_backend.shared.presentation.schemas import Body

APP = Flask(__name__)
GOOD = {'email': 'maker@example.com', 'password': 'correct horse battery', 'username': 'maker'}
# Unicode normalisation of this takes minutes.
COSTLY = 'a' + '\u0315' * 300_000 + '\u0323' * 300_000


def message_for(schema: type[Body], **changes: str) -> str:
    with APP.test_request_context(method='POST', json={**GOOD, **changes}):
        with pytest.raises(Invalid) as caught:
            read_body(schema)
    return caught.value.message


@pytest.mark.parametrize('schema', [RegisterBody, LoginBody, ResendBody])
@pytest.mark.parametrize('email', ['x' * 321, COSTLY], ids=['long', 'costly'])
def test_an_overlong_address_is_refused_without_processing(schema: type[Body], email: str) -> None:
    began = time.process_time()

    assert message_for(schema, email=email) == "'email' must have at most 320 characters"
    assert time.process_time() - began < 60


@pytest.mark.parametrize('schema', [RegisterBody, LoginBody, ClaimBody])
@pytest.mark.parametrize('password', ['x' * 1025, COSTLY], ids=['long', 'costly'])
def test_an_overlong_password_is_refused_without_processing(schema: type[Body], password: str) -> None:
    began = time.process_time()

    assert message_for(schema, password=password) == "'password' must have at most 1024 characters"
    assert time.process_time() - began < 60
