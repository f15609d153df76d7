"""The proxy as it is on AWS: the service is defined by the labels of the API's task definition."""
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest

from tests.cloud.aws_files import BACKEND, container
from tests.support.answers import error_of, ok
from tests.support.members import Member, join
from tests.support.traefik import HOST, Traefik
from tests.support.traefik_client import Proxied
from tests.support.traefik_rig import Rig, new_address
from tests.support.uploads import AVATAR, FORM, IMAGES, form_of, new_picture

MIB = 1024 * 1024


def from_labels(url: str) -> dict[str, Any]:
    """What Traefik's ECS provider makes of them for a task at this address."""
    prefix = 'traefik.http.'
    labels = {
        name.removeprefix(prefix): value
        for name, value in container(BACKEND)['dockerLabels'].items() if name.startswith(prefix)
    }
    router, check = 'routers.talelio.', 'services.talelio.loadbalancer.healthcheck.'
    assert {name.rpartition('.')[0] + '.'
            for name in labels} <= {router, check, 'services.talelio.loadbalancer.server.'}
    health_check = {
        name.removeprefix(check): value
        for name, value in labels.items() if name.startswith(check)
    }
    return {
        'routers': {
            'talelio': {
                'rule': labels[f'{router}rule'],
                'entryPoints': [labels[f'{router}entrypoints']],
                'service': 'talelio'
            }
        },
        'services': {
            'talelio': {
                'loadBalancer': {
                    'servers': [{
                        'url': url
                    }],
                    'healthCheck': health_check | {
                        'hostname': HOST
                    }
                }
            }
        },
    }


@pytest.fixture(name='member', scope='module')
def _member(rig: Rig) -> Member:
    return join(rig.apis[0])


@pytest.fixture(name='client', scope='module')
def _client(tmp_path_factory: pytest.TempPathFactory, rig: Rig) -> Iterator[Proxied]:
    with (
        Traefik(
            tmp_path_factory.mktemp('aws'), [],
            changes={'talelio@ecs': 'talelio'},
            http=from_labels(rig.apis[0].url)
        ) as traefik,
        traefik.client(source=new_address()) as client,
    ):
        yield client


def test_ten_pictures_of_nine_mebibytes_pass(member: Member, client: Proxied) -> None:
    body = form_of(*(new_picture().ljust(9 * MIB, b'\0') for _ in range(10)))

    document = ok(client.ask('POST', IMAGES, body, {**FORM, **member.bearer}))

    assert len(document['image_objects_urls']) == 10


def test_only_who_has_a_token_can_send_files(client: Proxied) -> None:
    for method, path in (('POST', IMAGES), ('PUT', AVATAR)):
        response = client.ask(method, path, form_of(new_picture()), FORM)
        assert error_of(response, HTTPStatus.FORBIDDEN) == 'No authorization header provided'


def test_a_large_text_is_refused_in_the_envelope(client: Proxied) -> None:
    response = client.ask('POST', '/v1/accounts/login', bytes(3 * MIB), {'Content-Type': 'application/json'})

    assert error_of(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE) == 'The request body is too large'


def test_the_api_speaks_for_itself(client: Proxied) -> None:
    response = client.post('/v1/accounts/login', {'email': 'nobody@example.com', 'password': 'no such one'})

    assert error_of(response, HTTPStatus.UNAUTHORIZED) == 'Invalid username or password'
