"""What docker-compose.yml says of the box, and what its owner's guide says of docker-compose.yml."""
import re
import subprocess
import sys
import tomllib
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from talelio_backend.settings import PROJECT_FOLDER, Env, Settings
from tests.cloud.aws_files import POSTGRESQL, container
from tests.support.box import compose, guide_block, unescaped, write_program
from tests.support.traefik import TRAEFIK_FOLDER, static_configuration

SERVICES: dict[str, Any] = compose()['services']
BOX = {name: service for name, service in SERVICES.items() if 'profiles' not in service}
WATCH = {name: service for name, service in SERVICES.items() if service.get('profiles') == ['watch']}
SCRIPTS = {
    'traefik': ('sh', SERVICES['traefik']['command'][0]),
    'prometheus': ('sh', SERVICES['prometheus']['command'][0]),
    'alertmanager': ('sh', SERVICES['alertmanager']['command'][0]),
    'backup': ('bash', SERVICES['backup']['entrypoint'][2]),
    'postgres': ('bash', SERVICES['postgres']['entrypoint'][2]),
    'health': ('bash', SERVICES['backup']['healthcheck']['test'][3]),
}


@pytest.mark.parametrize('name', SCRIPTS)
def test_the_scripts_are_sound(name: str) -> None:
    shell, script = SCRIPTS[name]

    # Beside this Python, also where the environment is not activated.
    checked = subprocess.run([
        Path(sys.executable).parent / 'shellcheck', f'--shell={shell}', '--exclude=SC2154', '-'
    ],
                             input=unescaped(script),
                             capture_output=True,
                             text=True,
                             check=False)

    assert (checked.returncode, checked.stdout) == (0, '')


@pytest.mark.parametrize('name', [*BOX, *WATCH, 'pitr'])
def test_every_service_has_as_few_rights_as_it_can(name: str) -> None:
    service = (compose('docker-compose.pitr.yml')['services'] | SERVICES)[name]

    assert service['read_only']
    assert service['cap_drop'] == ['ALL']
    assert service['security_opt'] == ['no-new-privileges:true']
    assert service['mem_limit']
    assert service['logging']['options']['max-size']
    assert all(port.startswith('127.0.0.1:') for port in service.get('ports', ()))
    assert 'ports' not in service or name in WATCH


def test_only_the_proxy_is_in_the_machines_network() -> None:
    assert [name for name in BOX if 'network_mode' in BOX[name]] == ['traefik']
    assert compose()['networks']['database'] == {'internal': True}
    assert BOX['postgres']['networks'] == ['database']
    for name in ('migrate', 'backup'):
        # They may need a server elsewhere, and `database` has no way out.
        assert BOX[name]['networks'] == ['database', 'outside']


def test_the_addresses_agree() -> None:
    subnet = compose()['networks']['proxy']['ipam']['config'][0]['subnet']
    address = BOX['api']['networks']['proxy']['ipv4_address']

    assert BOX['api']['environment']['TRUSTED_PROXIES'] == subnet
    assert BOX['traefik']['environment']['API_URLS'] == f'http://{address}:5000'


def start_proxy(folder: Path, **environ: str) -> tuple[str, dict[str, Any]]:
    """Run its script up to Traefik itself; return what was complained of, and the configuration."""
    script = unescaped(SCRIPTS['traefik'][1])
    configuration = folder / 'traefik.toml'
    for there, here in (
        ('/etc/traefik/traefik.toml', TRAEFIK_FOLDER / 'traefik.toml'),
        ('/tmp/traefik.toml', configuration),
    ):
        assert there in script
        script = script.replace(there, str(here))
    write_program(folder / 'programs/traefik', f'#!/bin/sh\n[ "$*" = --configfile={configuration} ]\n')
    completed = subprocess.run([*SERVICES['traefik']['entrypoint'], script],
                               env={'PATH': f'{folder / "programs"}:/usr/bin:/bin'} | environ,
                               capture_output=True,
                               text=True,
                               check=False)
    if completed.returncode:
        return completed.stderr, {}
    return completed.stderr, tomllib.loads(configuration.read_text(encoding='utf-8'))


def test_the_proxy_starts_without_what_only_aws_has(tmp_path: Path) -> None:
    assert start_proxy(tmp_path, API_HOST='api.test', ACME_STAGING='') == ('', static_configuration())


def test_the_proxy_asks_the_staging_environment_first_if_told_to(tmp_path: Path) -> None:
    _, configuration = start_proxy(tmp_path, API_HOST='api.test', ACME_STAGING='yes')

    acme = configuration['certificatesResolvers']['letsencrypt']['acme']
    assert acme.pop('caServer') == 'https://acme-staging-v02.api.letsencrypt.org/directory'
    assert configuration == static_configuration() | {
        'certificatesResolvers': {
            'letsencrypt': {
                'acme': acme
            }
        }
    }


def test_the_proxy_names_the_setting_that_is_missing(tmp_path: Path) -> None:
    complaint, _ = start_proxy(tmp_path, API_HOST='')

    assert 'API_HOST' in complaint and 'missing in .env' in complaint


def test_the_proxy_keeps_bodies_on_the_disk() -> None:
    # A tmpfs is memory, and full after ten pictures.
    assert 'tmpfs' not in BOX['traefik']
    assert 'proxy-buffer:/tmp' in BOX['traefik']['volumes']
    assert 'proxy-buffer' in compose()['volumes']


def test_certificates_are_kept_on_a_volume() -> None:
    acme = static_configuration()['certificatesResolvers']['letsencrypt']['acme']

    assert f'certificates:{Path(acme["storage"]).parent}' in BOX['traefik']['volumes']


def interpolated(service: str, settings: dict[str, str]) -> dict[str, str]:
    """The environment of a service, as Docker Compose makes it of the lines of `.env`."""

    def replace(text: str) -> str:
        # The innermost first.
        while found := re.search(r'\$\{(\w+):-([^${}]*)\}', text):
            text = text.replace(found[0], settings.get(found[1]) or found[2])
        assert '${' not in text
        return text

    return {name: replace(value) for name, value in BOX[service]['environment'].items()}


OWN = 'postgresql://talelio:secret@postgres/talelio'
OTHER = 'postgresql://talelio:other@db.example.com/talelio?sslmode=require'
DIRECT = 'postgresql://talelio:other@db.example.com:5433/talelio'


@pytest.mark.parametrize(
    ('given', 'api', 'backup'),
    [
        ({}, OWN, OWN),
        ({'DATABASE_URL': OTHER}, OTHER, OTHER),
        ({'DATABASE_URL': OTHER, 'DIRECT_DATABASE_URL': DIRECT}, OTHER, DIRECT),
    ],
    ids=['its own', 'another', 'behind a pooler']
)  # yapf: disable
def test_all_services_use_the_same_database(given: dict[str, str], api: str, backup: str) -> None:
    settings = given | {'POSTGRES_PASSWORD': 'secret'}

    for service, url in (('migrate', api), ('api', api), ('backup', backup)):
        assert interpolated(service, settings)['DATABASE_URL'] == url
    assert interpolated('postgres', settings)['OTHER_DATABASE'] == given.get('DATABASE_URL', '')


def run_postgres(folder: Path, other: str, *command: str) -> subprocess.Popen[str]:
    """The entry point of its container, up to that of the image, and its health check."""
    for name in ('docker-entrypoint.sh', 'pg_isready'):
        write_program(folder / 'programs' / name, f'#!/bin/sh\necho {name} "$@"\n')
    return subprocess.Popen([unescaped(word) for word in command],
                            env={
                                'PATH': f'{folder / "programs"}:/usr/bin:/bin',
                                'OTHER_DATABASE': other
                            },
                            stdout=subprocess.PIPE,
                            text=True,
                            start_new_session=True)


@pytest.mark.parametrize(('other', 'started', 'asked'),
                         [('', 'docker-entrypoint.sh postgres -c', 'pg_isready'),
                          (OTHER, 'DATABASE_URL names', '')])
def test_the_box_runs_no_server_beside_the_other_one(
    tmp_path: Path, other: str, started: str, asked: str
) -> None:
    postgres = BOX['postgres']
    with run_postgres(tmp_path, other, *postgres['entrypoint'], *postgres['command']) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(started)
        if other:
            # As Docker does it: without waiting out the minute that a server may take.
            process.terminate()
    with run_postgres(tmp_path, other, *postgres['healthcheck']['test'][1:]) as check:
        assert check.communicate()[0].startswith(asked)

    assert (process.returncode, check.returncode) == (0, 0)


def test_each_postgresql_is_a_pinned_release_on_a_pinned_debian() -> None:
    images = [service['image'] for service in SERVICES.values() if service['image'].startswith('postgres:')]
    base = re.search(
        '^FROM (postgres:.*)$', (PROJECT_FOLDER / 'postgresql/Dockerfile').read_text(encoding='utf-8'), re.M
    )

    assert base is not None
    assert len(set(images)) == 1
    # Another release of Debian has another glibc, which may order text otherwise.
    for image in (images[0], base[1]):
        assert re.fullmatch(r'postgres:18\.\d+-trixie', image)


def test_text_is_ordered_alike_on_the_box_and_on_aws() -> None:
    environment = {item['name']: item['value'] for item in container(POSTGRESQL)['environment']}
    arguments = BOX['postgres']['environment']['POSTGRES_INITDB_ARGS']

    assert environment['POSTGRES_INITDB_ARGS'] == arguments
    assert '--locale=C.UTF-8' in arguments


def test_the_example_settings_are_complete() -> None:
    example = dotenv_values(stream=StringIO(guide_block('The `.env` of a box')), interpolate=False)
    settings = {name: value or '0123456789abcdef' * 3 for name, value in example.items()}

    environ = settings | interpolated('api', settings)
    read = Settings.from_env(environ)
    assert read.env is Env.PRODUCTION
    assert read.api_base_url == f'https://{settings["API_HOST"]}'
    assert read.smtp_server
