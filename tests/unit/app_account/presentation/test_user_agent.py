import pytest
from flask import Flask

from talelio_backend.app_account.business.domain.session import Client
from talelio_backend.app_account.presentation.user_agent import request_client

APP = Flask(__name__)
ON_LINUX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
ON_WINDOWS = (
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 '
    'Safari/537.36 Edg/140.0'
)


def client(user_agent: str = '', address: str = '192.0.2.1') -> Client:
    headers = {'User-Agent': user_agent}
    with APP.test_request_context(headers=headers, environ_base={'REMOTE_ADDR': address}):
        return request_client()


@pytest.mark.parametrize(
    ('user_agent', 'device'),
    [
        (ON_LINUX, 'Firefox on Linux'),
        (ON_WINDOWS, 'Edge on Windows'),
        ('curl/8.5.0', 'curl/8.5.0'),
        ('x' * 1000, 'x' * 40),
        ('', ''),
    ],
    ids=['one browser', 'one that names others', 'a program', 'a long name', 'nothing'],
)
def test_a_device_name_is_short(user_agent: str, device: str) -> None:
    assert client(user_agent).device == device


@pytest.mark.parametrize(
    ('peer', 'address'),
    [('192.0.2.1', '192.0.2.1'), ('::ffff:192.0.2.1', '192.0.2.1'), ('fe80::1%eth0', 'fe80::1'), ('', '')],
)
def test_an_address_is_normalized(peer: str, address: str) -> None:
    assert client(address=peer).address == address
