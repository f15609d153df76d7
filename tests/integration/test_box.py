"""What docker-compose.yml says of the box, and what its owner's guide says of docker-compose.yml."""
import subprocess
import sys
import tomllib
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from talelio_backend.settings import Env, Settings
from tests.support.box import compose, guide_block, unescaped, write_program
from tests.support.traefik import TRAEFIK_FOLDER, static_configuration

SERVICES: dict[str, Any] = compose()['services']
BOX = {name: service for name, service in SERVICES.items() if 'profiles' not in service}
SCRIPTS = {
    'traefik': ('sh', SERVICES['traefik']['command'][0]),
    'backup': ('bash', SERVICES['backup']['entrypoint'][2]),
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


@pytest.mark.parametrize('name', [*BOX, 'pitr'])
def test_every_service_has_as_few_rights_as_it_can(name: str) -> None:
    service = (BOX | compose('docker-compose.pitr.yml')['services'] | BOX)[name]

    assert service['read_only']
    assert service['cap_drop'] == ['ALL']
    assert service['security_opt'] == ['no-new-privileges:true']
    assert service['mem_limit']
    assert service['logging']['options']['max-size']
    assert 'ports' not in service


def test_only_the_proxy_is_in_the_machines_network() -> None:
    assert [name for name in BOX if 'network_mode' in BOX[name]] == ['traefik']
    assert compose()['networks']['database'] == {'internal': True}
    for name in ('postgres', 'migrate', 'backup'):
        assert BOX[name]['networks'] == ['database']


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


def test_certificates_are_kept_on_a_volume() -> None:
    acme = static_configuration()['certificatesResolvers']['letsencrypt']['acme']

    assert f'certificates:{Path(acme["storage"]).parent}' in BOX['traefik']['volumes']


def test_the_example_settings_are_complete() -> None:
    example = dotenv_values(stream=StringIO(guide_block('The `.env` of a box')), interpolate=False)
    settings = {name: value or '0123456789abcdef' * 3 for name, value in example.items()}

    environ = settings | {
        name:
        value.replace('${API_HOST:-}', settings['API_HOST']).replace(
            '${POSTGRES_PASSWORD:-}', settings['POSTGRES_PASSWORD']
        ).replace('${WEB_CONCURRENCY:-1}', '1')
        for name, value in BOX['api']['environment'].items()
    }
    assert not [value for value in environ.values() if '${' in value]
    read = Settings.from_env(environ)
    assert read.env is Env.PRODUCTION
    assert read.api_base_url == f'https://{settings["API_HOST"]}'
    assert read.smtp_server
