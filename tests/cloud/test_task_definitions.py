"""The task definitions are what ECS takes, fit the machine, and give the API what it needs."""
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

import boto3
import pytest

from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.settings import Env, Settings
from tests.cloud.aws_files import (
    ACCOUNT_ID,
    API_HOST,
    AWS_FOLDER,
    BACKEND,
    DEFINITION_FILES,
    GUIDE_FILE,
    PLACEHOLDERS,
    POSTGRESQL,
    TRAEFIK,
    TRAEFIK_FILE,
    container,
    containers,
    definition,
    deploy,
    resources,
)
from tests.support.box import compose, guide_block, write_program

# Stand-ins for what SSM holds.
STORED = {
    'SECRET_KEY': 'kX0a1b2c3d4e5f6g7h8i9jKlMnOpQrStUvWx',
    'DATABASE_URL': 'postgresql://talelio:password@172.17.0.1:5432/talelio',
    'SMTP_URL': 'smtps://user:password@mail.example.com',
    'EMAIL_SENDER': 'My site <noreply@example.com>',
    'WHITELISTED_EMAILS': 'maker@example.com',
    'CORS_ORIGINS': 'https://www.example.com',
    'S3_BUCKET': 'talelio-images',
    'S3_BASE_URL': 'https://images.example.com',
}

DYNAMIC_FILE = TRAEFIK_FILE.with_name('traefik_dynamic.toml')

# MiB. What Linux leaves to programs on a machine of 1 GiB, rounded down, and the settings that need a margin.
MACHINE = 900
# Seconds: talelio_backend's own default in production, and Gunicorn's graceful_timeout.
DRAIN = 10
GRACEFUL = 30


@pytest.mark.parametrize('file_name', DEFINITION_FILES)
def test_ecs_takes_it(account: boto3.Session, file_name: str) -> None:
    # boto3 holds every key against ECS's model, as `make check-infra` does.
    ecs: Any = account.client('ecs')
    registered = ecs.register_task_definition(**definition(file_name))['taskDefinition']
    assert registered['revision'] == 1
    assert registered['containerDefinitions'][0]['name'] == container(file_name)['name']


@pytest.mark.parametrize('file_name', DEFINITION_FILES)
def test_no_placeholder_is_without_a_value(file_name: str) -> None:
    text = (AWS_FOLDER / file_name).read_text(encoding='utf-8')
    # `envsubst` and a shell read them like this, too.
    assert set(re.findall(r'\$\{(\w+)\}', text)) <= set(PLACEHOLDERS)
    assert '$' not in re.sub(r'\$\{\w+\}', '', text)


@pytest.mark.parametrize('file_name', DEFINITION_FILES)
def test_a_container_may_do_little(file_name: str) -> None:
    for limits in containers(file_name):
        assert limits['readonlyRootFilesystem'] is True
        assert limits['dockerSecurityOptions'] == ['no-new-privileges']
        assert limits['linuxParameters']['capabilities'] == {'drop': ['ALL']}
        assert int(limits['user'].partition(':')[0]) > 0
        assert not limits.get('privileged', False)
    # From the machine's own network a container gets at the machine's role.
    assert definition(file_name)['networkMode'] == 'bridge'


@pytest.mark.parametrize('file_name', DEFINITION_FILES)
def test_secrets_are_in_ssm_only(file_name: str) -> None:
    for each in containers(file_name):
        plain = {item['name'] for item in each.get('environment', ())}
        assert not [name for name in plain if re.search('KEY|PASS|SECRET|DATABASE_URL|SMTP_URL', name)]
        for secret in each.get('secrets', ()):
            name = {'PGPASSWORD': 'POSTGRES_PASSWORD'}.get(secret['name'], secret['name'])
            expected = f'arn:aws:ssm:eu-central-1:{ACCOUNT_ID}:parameter/talelio/{name}'
            assert secret['valueFrom'] == expected


def test_the_api_starts_with_what_it_is_given() -> None:
    api = container(BACKEND)
    environ = {item['name']: item['value'] for item in api['environment']}
    environ |= {item['name']: STORED[item['name']] for item in api['secrets']}
    settings = Settings.from_env(environ)
    assert settings.env is Env.PRODUCTION
    assert settings.host == '0.0.0.0'
    assert settings.port == api['portMappings'][0]['containerPort']
    assert API_HOST in settings.served_hosts
    assert isinstance(settings.image_store, S3Bucket)
    assert settings.image_store.url('1/images/a.png') == 'https://images.example.com/1/images/a.png'
    # Nothing of it is a leftover that the service does not read.
    assert set(STORED) == {item['name'] for item in api['secrets']}


# Why AWS's tasks are not given these settings.
LEFT_OUT = {
    'AWS_DEFAULT_REGION': 'AWS_REGION is given',
    'AWS_ENDPOINT_URL': 'the bucket is on S3 itself',
    'AWS_ENDPOINT_URL_S3': 'the bucket is on S3 itself',
    'DRAIN_SECONDS': "production's default is what Traefik's refresh is made for",
    'IMAGE_FOLDER': 'pictures are in the bucket',
    'KEEP_ALIVE': "its default is what Traefik's idle time-out is made for",
    'METRICS_ADDRESS': 'nothing on the machine asks for metrics',
}


def test_every_setting_can_be_given_or_is_left_out_for_a_reason() -> None:
    api = container(BACKEND)
    fixed, required = ([item['name'] for item in api[key]] for key in ('environment', 'secrets'))
    given = [*fixed, *required, *deploy.OPTIONAL_SETTINGS]

    assert len(given) == len(set(given))
    assert sorted([*given, *LEFT_OUT]) == sorted(str(field.alias) for field in Settings.model_fields.values())


def test_it_has_the_time_to_stop() -> None:
    assert container(BACKEND)['stopTimeout'] > DRAIN + GRACEFUL
    assert _agent_setting('ECS_CONTAINER_STOP_TIMEOUT') == '60s'


@pytest.mark.parametrize('file_name', DEFINITION_FILES)
def test_its_health_is_checked_within_half_a_minute(file_name: str) -> None:
    check = container(file_name)['healthCheck']
    assert check['command'][0] == 'CMD'
    assert check['timeout'] < check['interval']
    assert check['interval'] * check['retries'] <= 30


def test_a_rolling_deployment_fits_the_machine() -> None:
    reserved = sum(_tasks_at_once(name) * _sum(name, 'memoryReservation') for name in DEFINITION_FILES)
    # ECS places a task only where its reservations are free.
    assert reserved <= MACHINE - int(_agent_setting('ECS_RESERVED_MEMORY'))
    # T2 and T3 machines of this size have at least one core, which is 1024.
    assert sum(_tasks_at_once(name) * _sum(name, 'cpu') for name in DEFINITION_FILES) <= 1024


@pytest.mark.parametrize('file_name', DEFINITION_FILES)
def test_memory_has_a_bound_above_what_is_usual(file_name: str) -> None:
    for limits in containers(file_name):
        assert limits['memoryReservation'] < limits['memory']
        assert limits['linuxParameters']['maxSwap'] > 0


def test_the_api_has_room_for_the_largest_picture() -> None:
    # MiB, measured: the service at rest, and the peak of the process that decodes.
    assert container(BACKEND)['memory'] >= 150 + 325


def test_fixed_ports_are_freed_before_they_are_taken() -> None:
    for service in deploy.SERVICES:
        fixed = [
            mapping for mapping in container(service.definition_file)['portMappings'] if mapping['hostPort']
        ]
        if fixed:
            assert (service.minimum, service.maximum) == (0, 100)
        else:
            # The new task is healthy before the old one goes.
            assert (service.minimum, service.maximum) == (100, 200)


def test_the_one_database_is_where_the_api_looks_for_it() -> None:
    mapping, = container(POSTGRESQL)['portMappings']
    assert mapping['hostPort'] == mapping['containerPort'] == 5432


def test_the_database_is_archived_as_on_a_box() -> None:
    server, backups = containers(POSTGRESQL)
    added = compose('docker-compose.pitr.yml')['services']

    box = [word.replace('${ARCHIVE_MODE:-on}', 'on') for word in added['postgres']['command']]
    assert server['command'][-6:] == box[-6:]
    assert backups['command'] == added['pitr']['command']
    assert not backups['essential']
    of_the_box = {
        name
        for name in added['postgres']['environment'] if name != 'PGBACKREST_REPO1_S3_URI_STYLE'
    }
    for each in (server, backups):
        named = {item['name'] for item in (*each['environment'], *each['secrets'])}
        assert {name for name in named if name.startswith('PGBACKREST_')} == of_the_box


def test_the_guide_restores_in_a_task_of_the_database_while_its_service_rests(tmp_path: Path) -> None:
    note = 'import json, sys\nprint(json.dumps(sys.argv[1:]), file=sys.stderr)\nprint("task")\n'
    stand_in = f'#!{sys.executable}\n{note}'
    write_program(tmp_path / 'aws', stand_in)

    told = subprocess.run([
        'bash', '-euo', 'pipefail', '-c',
        guide_block('<!-- restore to a minute', GUIDE_FILE)
    ],
                          env={'PATH': f'{tmp_path}:{os.environ["PATH"]}'},
                          capture_output=True,
                          text=True,
                          check=True)

    calls = [json.loads(line) for line in told.stderr.splitlines()]
    assert [call[1] for call in calls] == [
        'update-service', 'update-service', 'wait', 'run-task', 'wait', 'describe-tasks', 'update-service',
        'update-service'
    ]
    run = dict(zip(calls[3][2::2], calls[3][3::2], strict=True))
    assert run['--task-definition'] == definition(POSTGRESQL)['family']
    override, = json.loads(run['--overrides'])['containerOverrides']
    assert override == {
        'name': container(POSTGRESQL)['name'],
        'command': ['pitr-restore', '2026-11-30 14:05:00+00']
    }


def test_the_proxy_has_the_ports_of_the_web() -> None:
    ports = {mapping['hostPort']: mapping['containerPort'] for mapping in container(TRAEFIK)['portMappings']}
    assert ports == {80: 80, 443: 443}


def test_the_proxy_keeps_its_certificates_on_the_volume() -> None:
    static = tomllib.loads(TRAEFIK_FILE.read_text(encoding='utf-8'))
    resolver = static['entryPoints']['websecure']['http']['tls']['certResolver']
    storage = PurePosixPath(static['certificatesResolvers'][resolver]['acme']['storage'])
    volumes = {mount['sourceVolume']: mount['containerPath'] for mount in container(TRAEFIK)['mountPoints']}
    # The rest of its file system is read-only.
    assert PurePosixPath(volumes['certificates']) in storage.parents


def test_the_proxy_has_the_disk_for_bodies() -> None:
    # A tmpfs would be memory, of which it has 128 MiB.
    assert 'tmpfs' not in container(TRAEFIK)['linuxParameters']
    volumes = {mount['containerPath']: mount['sourceVolume'] for mount in container(TRAEFIK)['mountPoints']}
    assert volumes['/tmp'] == 'tmp'
    middlewares = tomllib.loads(DYNAMIC_FILE.read_text(encoding='utf-8'))['http']['middlewares']
    uploads = middlewares['uploads-in-flight-of-all']['inFlightReq']['amount']
    needed = uploads * middlewares['uploads-body']['buffering']['maxRequestBodyBytes']
    launch, = resources('AWS::EC2::LaunchTemplate').values()
    disk, = launch['LaunchTemplateData']['BlockDeviceMappings']
    # Docker's volumes are on the machine's disk, with the system and the images.
    assert needed < disk['Ebs']['VolumeSize'] * 1024**3 / 4


def test_the_proxy_finds_the_api() -> None:
    settings = tomllib.loads(TRAEFIK_FILE.read_text(encoding='utf-8'))
    labels = container(BACKEND)['dockerLabels']
    assert settings['providers']['ecs']['clusters'] == [deploy.CLUSTER]
    assert labels['traefik.enable'] == 'true' and not settings['providers']['ecs']['exposedByDefault']
    # The public's routers are those of the file, which has the host's name.
    assert {'name': 'API_HOST', 'value': API_HOST} in container(TRAEFIK)['environment']
    entry_point = settings['entryPoints'][labels['traefik.http.routers.talelio.entrypoints']]
    assert entry_point['address'].startswith('127.0.0.1:')
    port, = (mapping['containerPort'] for mapping in container(BACKEND)['portMappings'])
    assert labels['traefik.http.services.talelio.loadbalancer.server.port'] == str(port)
    # Whoever takes the task out for its draining does so once Traefik knows the one that takes over.
    refresh = settings['providers']['ecs']['refreshSeconds']
    assert refresh < DRAIN


def _sum(file_name: str, key: str) -> int:
    return sum(each[key] for each in containers(file_name))


def _tasks_at_once(file_name: str) -> int:
    maximum: int
    maximum, = (service.maximum for service in deploy.SERVICES if service.definition_file == file_name)
    return maximum // 100


def _agent_setting(name: str) -> str:
    template, = resources('AWS::EC2::LaunchTemplate').values()
    user_data = template['LaunchTemplateData']['UserData']['Fn::Base64']['Fn::Sub']
    found = re.search(rf'^{name}=(\S+)$', user_data, re.MULTILINE)
    assert found, f'{name} is not set'
    return found.group(1)
