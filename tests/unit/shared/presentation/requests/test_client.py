import pytest
from flask import Flask

from talelio_backend.shared.business.actor import Actor
from talelio_backend.shared.presentation.requests.access_log import add_request_log
from talelio_backend.shared.presentation.requests.client import request_actor


def origin_of(address: str, **headers: str) -> Actor:
    app = Flask(__name__)
    add_request_log(app)
    seen: list[Actor] = []

    @app.get('/')
    def view() -> str:
        seen.append(request_actor())
        return ''

    app.test_client().get('/', headers=headers, environ_base={'REMOTE_ADDR': address})
    return seen[0]


@pytest.mark.parametrize(('peer', 'address'), [
    ('192.0.2.7', '192.0.2.7'),
    ('::ffff:192.0.2.7', '192.0.2.7'),
    ('2001:DB8:0:0:0:0:0:1', '2001:db8::1'),
    ('fe80::1%eth0', 'fe80::1'),
    ('', None),
    ('unix:', None),
])
def test_an_address_is_normalised(peer: str, address: str | None) -> None:
    assert origin_of(peer).address == address


def test_user_agent_and_request_id_come_from_the_request() -> None:
    actor = origin_of('192.0.2.7', **{'X-Request-ID': 'request-1', 'User-Agent': 'curl/8'})

    assert actor == Actor(address='192.0.2.7', user_agent='curl/8', request_id='request-1')


def test_a_user_agent_is_truncated_and_cleaned() -> None:
    assert origin_of('192.0.2.7', **{'User-Agent': 'a\x1b[2J' + 'b' * 500}).user_agent == 'a[2J' + 'b' * 196
    assert origin_of('192.0.2.7', **{'User-Agent': ''}).user_agent is None
