from collections.abc import Iterable
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from talelio_backend.shared.presentation.requests.client import ForwardedFor

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PROXIES = [ip_network('172.18.0.0/16'), ip_network('fd00::/8')]
CLIENT = '203.0.113.7'


def seen_address(peer: str, forwarded: str | None, *, hops: int = 1) -> str:
    """The client's address, as the application behind the middleware sees it."""

    def application(environ: 'WSGIEnvironment', start_response: 'StartResponse') -> Iterable[bytes]:
        start_response('200 OK', [])
        return [environ['REMOTE_ADDR'].encode()]

    headers = {} if forwarded is None else {'X-Forwarded-For': forwarded}
    environ = create_environ(headers=headers, environ_overrides={'REMOTE_ADDR': peer})
    body, _, _ = run_wsgi_app(ForwardedFor(application, PROXIES, hops=hops), environ)
    return b''.join(body).decode()


@pytest.mark.parametrize('proxy', ['172.18.0.1', '172.18.255.255', 'fd00::2', '::ffff:172.18.0.1'])
def test_a_trusted_proxy_determines_the_address(proxy: str) -> None:
    assert seen_address(proxy, CLIENT) == CLIENT


@pytest.mark.parametrize('peer', ['172.19.0.1', '198.51.100.1', '::1', '', 'unix:'])
def test_other_peers_cannot_set_the_address(peer: str) -> None:
    assert seen_address(peer, CLIENT) == peer


def test_addresses_from_the_client_are_ignored() -> None:
    assert seen_address('172.18.0.1', f'1.2.3.4, 5.6.7.8, {CLIENT}') == CLIENT


def test_two_proxies_count_as_two_hops() -> None:
    assert seen_address('172.18.0.1', f'1.2.3.4, {CLIENT}, 192.0.2.1', hops=2) == CLIENT


@pytest.mark.parametrize('forwarded', [None, '', CLIENT])
def test_a_request_with_too_few_hops_has_its_peers_address(forwarded: str | None) -> None:
    assert seen_address('172.18.0.1', forwarded, hops=2) == '172.18.0.1'
