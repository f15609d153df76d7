"""What clients hear through Traefik while no API behind it has a database."""
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.support.members import WHITELIST
from tests.support.migrated_cluster import MigratedCluster
from tests.support.own_postgres import OwnPostgres, own_postgres
from tests.support.served_api import ServedApi
from tests.support.traefik import EAGER_CHECKS, HOST, Traefik
from tests.support.waiting import wait_until


@pytest.fixture(name='postgres')
def _postgres(tmp_path: Path, migrated_cluster: MigratedCluster) -> Iterator[OwnPostgres]:
    with own_postgres(tmp_path / 'postgres', migrated_cluster) as postgres:
        yield postgres


@pytest.fixture(name='traefik')
def _traefik(tmp_path: Path, postgres: OwnPostgres) -> Iterator[Traefik]:
    environ = {
        'API_BASE_URL': f'https://{HOST}',
        'TRUSTED_PROXIES': '127.0.0.1',
        'WHITELISTED_EMAILS': ','.join(WHITELIST),
    }
    (tmp_path / 'traefik').mkdir()
    with (
        ServedApi(tmp_path, postgres.url, environ) as api,
        Traefik(tmp_path / 'traefik', [api.url], changes=EAGER_CHECKS) as traefik,
    ):
        yield traefik


def is_ready(traefik: Traefik) -> bool:
    return set(traefik.server_status().values()) == {'UP'}


def test_the_api_itself_says_when_to_come_back_and_is_used_again_as_soon_as_it_is_ready(
    postgres: OwnPostgres, traefik: Traefik
) -> None:
    postgres.proxy.refuse()
    wait_until(lambda: not is_ready(traefik), 'Traefik notices')
    with traefik.client() as client:
        response = client.get('/v1/users/nobody/projects')
        live = client.get('/health/live')
        ready = client.get('/health/ready')

        assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert response.json()['error']['status'] == HTTPStatus.SERVICE_UNAVAILABLE
        assert int(response.headers['Retry-After']) > 0
        assert live.status_code == HTTPStatus.OK
        assert ready.status_code == HTTPStatus.SERVICE_UNAVAILABLE

        postgres.proxy.forward()
        wait_until(lambda: is_ready(traefik), 'Traefik notices')

        assert client.get('/v1/users/nobody/projects').status_code == HTTPStatus.BAD_REQUEST
