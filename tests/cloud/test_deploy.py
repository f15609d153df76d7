"""deploy.py makes what is absent, leaves alone what is unchanged, and takes no failure for a success."""
import ast
import subprocess
import sys
import time
from itertools import count
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.cloud.aws_files import ACCOUNT_ID, AWS_FOLDER, PLACEHOLDERS, REGION, deploy, one_off, progress

ENVIRON = {
    name: PLACEHOLDERS[name]
    for name in ('API_HOST', 'API_IMAGE', 'POSTGRESQL_IMAGE', 'TRAEFIK_IMAGE')
}
NEXT = {'API_IMAGE': f'{PLACEHOLDERS["API_IMAGE"][:-1]}f'}
NAMES = ['talelio-postgresql', 'talelio-backend', 'talelio-traefik']
ANSWERED = AWSResponse('', 200, HTTPHeaders(), None)
COMMANDS = [['alembic', 'upgrade', 'head'], ['flask', 'doctor']]


class Cloud:
    """ECS, where tasks end as they are told to: moto starts none."""

    def __init__(self, account: boto3.Session) -> None:
        self.account = account
        self.ecs: Any = account.client('ecs')
        self.ecs.create_cluster(clusterName='talelio')
        # Exit codes by a command's first word, None where it never started; and services that do not come up.
        self.exit_codes: dict[str, int | None] = {}
        self.failing: set[str] = set()
        self.is_full = False
        # What a kind of call answers nothing to, the first time.
        self.late: set[str] = set()
        # What was asked for, in order: a command's first word or a service's name, and with which parameters.
        self.calls: list[str] = []
        self.asked: list[dict[str, Any]] = []
        for event, handler in (
            ('before-parameter-build.ecs', self._note),
            ('before-call.ecs.RunTask', self._run_task),
            ('before-call.ecs.DescribeTasks', self._describe_tasks),
            ('after-call.ecs.DescribeServices', self._describe_services),
        ):
            account.events.register(event, handler)

    def deploy(self, **environ: str) -> None:
        self.calls.clear()
        self.asked.clear()
        deploy.Deployment(self.account, ENVIRON | environ, pause=0).run()

    def image(self, service: str) -> str:
        image: str = self._container(service)['image']
        return image

    def secrets(self, service: str) -> dict[str, str]:
        return {secret['name']: secret['valueFrom'] for secret in self._container(service)['secrets']}

    def _container(self, service: str) -> dict[str, Any]:
        found, = self.ecs.describe_services(cluster='talelio', services=[service])['services']
        response = self.ecs.describe_task_definition(taskDefinition=found['taskDefinition'])
        container: dict[str, Any] = response['taskDefinition']['containerDefinitions'][0]
        return container

    def revisions(self) -> list[str]:
        arns = self.ecs.list_task_definitions()['taskDefinitionArns']
        return sorted(arn.rpartition('/')[2] for arn in arns)

    @property
    def commands(self) -> list[list[str]]:
        return [
            asked['overrides']['containerOverrides'][0]['command'] for asked in self.asked
            if 'overrides' in asked
        ]

    def _note(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        if model.name == 'RunTask':
            self.calls.append(params['overrides']['containerOverrides'][0]['command'][0])
        elif model.name in ('CreateService', 'UpdateService'):
            self.calls.append(params.get('serviceName') or params['service'])
        else:
            return
        self.asked.append(params)

    def _run_task(self, **_: Any) -> Any:
        if self.is_full:
            return ANSWERED, {'tasks': [], 'failures': [{'reason': 'RESOURCE:MEMORY'}]}
        return ANSWERED, {'tasks': [{'taskArn': 'arn:aws:ecs:task/talelio/1'}], 'failures': []}

    def _describe_tasks(self, **_: Any) -> Any:
        if 'tasks' in self.late:
            self.late.remove('tasks')
            return ANSWERED, {'tasks': [], 'failures': [{'reason': 'MISSING'}]}
        container: dict[str, Any] = {'name': 'talelio-backend'}
        code = self.exit_codes.get(self.calls[-1], 0)
        if code is not None:
            container['exitCode'] = code
        return ANSWERED, {
            'tasks': [{
                'lastStatus': 'STOPPED',
                'stoppedReason': 'no such parameter',
                'containers': [container]
            }]
        }

    def _describe_services(self, parsed: dict[str, Any], **_: Any) -> None:
        for service in parsed['services']:
            if service['serviceName'] in self.failing:
                service['deployments'][0] |= {
                    'rolloutState': 'FAILED',
                    'rolloutStateReason': 'tasks failed to start'
                }
        if 'services' in self.late and self.calls[-1:] == ['talelio-backend']:
            self.late.remove('services')
            parsed['services'].clear()


@pytest.fixture(name='cloud')
def _cloud(account: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setattr(deploy, 'SERVICE_TIMEOUT', 3)
    for name in ('MACHINE_TIMEOUT', 'TASK_TIMEOUT'):
        monkeypatch.setattr(one_off, name, 3)
    return Cloud(account)


def test_the_first_time_everything_is_made(cloud: Cloud) -> None:
    cloud.deploy()

    assert cloud.calls == ['talelio-postgresql', 'alembic', 'flask', 'talelio-backend', 'talelio-traefik']
    assert cloud.commands == COMMANDS
    made = [asked for asked in cloud.asked if 'serviceName' in asked]
    assert [asked['serviceName'] for asked in made] == NAMES
    for asked in made:
        assert (asked['desiredCount'], asked['launchType']) == (1, 'EC2')
        breaker = asked['deploymentConfiguration']['deploymentCircuitBreaker']
        assert breaker == {'enable': True, 'rollback': True}


def test_the_same_again_changes_nothing(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.deploy()
    cloud.deploy()

    # Those do no harm, and tell whether all is well.
    assert cloud.calls == ['alembic', 'flask']
    assert cloud.revisions() == [f'{name}:1' for name in sorted(NAMES)]
    assert capsys.readouterr().out.count(': unchanged, talelio-') == 3


def test_the_api_gets_the_optional_settings_that_ssm_has(cloud: Cloud) -> None:
    cloud.deploy()
    ssm: Any = cloud.account.client('ssm')
    for name in ('FRONTEND_URL', 'SECRET_KEY_PREVIOUS', 'SOMETHING_ELSE'):
        ssm.put_parameter(Name=f'/talelio/{name}', Value='a value', Type='SecureString')
    before = cloud.secrets('talelio-backend')
    cloud.deploy()
    given = cloud.secrets('talelio-backend')
    ssm.delete_parameter(Name='/talelio/FRONTEND_URL')
    cloud.deploy()

    prefix = f'arn:aws:ssm:{REGION}:{ACCOUNT_ID}:parameter/talelio/'
    optional = {name: f'{prefix}{name}' for name in ('FRONTEND_URL', 'SECRET_KEY_PREVIOUS')}
    assert given == before | optional
    assert cloud.secrets('talelio-backend').keys() == before.keys() | {'SECRET_KEY_PREVIOUS'}
    assert cloud.calls == ['alembic', 'flask', 'talelio-backend']


def test_a_new_image_is_tried_before_it_serves_and_the_others_are_left_alone(cloud: Cloud) -> None:
    cloud.deploy()
    cloud.deploy(**NEXT)

    assert cloud.calls == ['alembic', 'flask', 'talelio-backend']
    assert cloud.image('talelio-backend') == NEXT['API_IMAGE']
    # In what is to serve, not in what serves.
    definitions = [asked['taskDefinition'].rpartition('/')[2] for asked in cloud.asked]
    assert definitions == ['talelio-backend:2'] * 3


def test_without_an_image_the_service_keeps_the_one_it_has(cloud: Cloud) -> None:
    cloud.deploy()
    cloud.deploy(API_IMAGE='', POSTGRESQL_IMAGE='', TRAEFIK_IMAGE='')

    assert cloud.calls == ['alembic', 'flask']
    assert cloud.image('talelio-backend') == ENVIRON['API_IMAGE']


def test_a_service_without_an_image_is_left_out(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.deploy(TRAEFIK_IMAGE='')

    assert cloud.calls == ['talelio-postgresql', 'alembic', 'flask', 'talelio-backend']
    assert 'talelio-traefik: left out' in capsys.readouterr().out


@pytest.mark.parametrize('command', COMMANDS, ids=' '.join)
def test_a_command_that_fails_stops_the_switch(
    cloud: Cloud, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.deploy()
    cloud.exit_codes[command[0]] = 1

    with pytest.raises(progress.DeploymentError, match=f'{" ".join(command)}: exit code 1'):
        cloud.deploy(**NEXT)

    assert 'talelio-backend' not in cloud.calls
    assert cloud.image('talelio-backend') == ENVIRON['API_IMAGE']
    assert 'last lines of its log' in capsys.readouterr().out


def test_the_log_of_a_command_that_fails_is_shown(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    logs: Any = cloud.account.client('logs')
    logs.create_log_group(logGroupName='/talelio/backend')

    stream = 'ecs/talelio-backend/1'
    logs.create_log_stream(logGroupName='/talelio/backend', logStreamName=stream)
    event = {'timestamp': int(time.time() * 1000), 'message': 'FAIL  mail  refused'}
    logs.put_log_events(logGroupName='/talelio/backend', logStreamName=stream, logEvents=[event])
    cloud.exit_codes['flask'] = 1

    with pytest.raises(progress.DeploymentError):
        cloud.deploy()

    assert '  | FAIL  mail  refused\n' in capsys.readouterr().out


def test_a_task_that_never_started_has_failed(cloud: Cloud) -> None:
    cloud.exit_codes['alembic'] = None

    with pytest.raises(progress.DeploymentError, match='no such parameter'):
        cloud.deploy()


def test_a_release_that_does_not_come_up_is_a_failure(cloud: Cloud) -> None:
    cloud.deploy()
    cloud.failing.add('talelio-backend')

    with pytest.raises(progress.DeploymentError, match='talelio-backend: tasks failed to start'):
        cloud.deploy(**NEXT)

    assert 'talelio-traefik' not in cloud.calls


def test_what_did_not_come_up_is_tried_again(cloud: Cloud) -> None:
    """As the very first release, which has no other to go back to."""
    cloud.failing.add('talelio-postgresql')
    with pytest.raises(progress.DeploymentError, match='talelio-postgresql'):
        cloud.deploy()
    told: list[bool] = []

    def mend(params: dict[str, Any], **_: Any) -> None:
        told.append(params.get('forceNewDeployment', False))
        cloud.failing.clear()

    cloud.account.events.register('before-parameter-build.ecs.UpdateService', mend)
    cloud.deploy()

    assert told == [True]
    assert cloud.calls[0] == 'talelio-postgresql'
    assert cloud.revisions().count('talelio-postgresql:1') == 1


def test_a_deployment_that_another_one_replaced_is_a_failure(cloud: Cloud) -> None:
    cloud.deploy()

    def replace(parsed: dict[str, Any], **_: Any) -> None:
        if 'alembic' not in cloud.calls or cloud.calls[-1] != 'talelio-backend':
            return
        for deployment in parsed['services'][0]['deployments']:
            deployment['id'] = 'ecs-svc/other'
            deployment['createdAt'] = deployment['createdAt'].replace(year=2100)

    cloud.account.events.register('after-call.ecs.DescribeServices', replace)

    with pytest.raises(progress.DeploymentError, match='was replaced by another one'):
        cloud.deploy(**NEXT)


def test_what_ecs_does_not_yet_tell_is_waited_for(cloud: Cloud) -> None:
    cloud.late |= {'tasks', 'services'}
    cloud.deploy()

    assert not cloud.late
    assert cloud.calls[-1] == 'talelio-traefik'


def test_it_waits_for_a_place_and_gives_up(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.is_full = True
    # Each look at the clock finds that 100 seconds have gone by.
    monkeypatch.setattr(
        progress, 'time', SimpleNamespace(monotonic=count(0, 100).__next__, sleep=lambda _: None)
    )
    monkeypatch.setattr(one_off, 'MACHINE_TIMEOUT', 300)

    with pytest.raises(progress.DeploymentError, match='waiting for a place for talelio-backend: alembic'):
        cloud.deploy()

    assert cloud.calls.count('alembic') == 3


def test_it_says_what_it_was_not_told() -> None:
    # Neither a configuration nor a region but this one; the address of nobody.
    environ = {'PATH': '', 'AWS_CONFIG_FILE': '/dev/null', 'AWS_EC2_METADATA_DISABLED': 'true'}
    command = [sys.executable, str(AWS_FOLDER / 'deploy.py')]

    def run(**more: str) -> str:
        result = subprocess.run(
            command, env=environ | more, capture_output=True, text=True, timeout=300, check=False
        )
        assert result.returncode == 1
        assert 'Traceback' not in result.stderr
        return result.stderr

    assert run() == 'FAILED: API_HOST is missing: the host name of the API, such as api.example.com\n'
    assert run(API_HOST='a') == 'FAILED: You must specify a region.\n'
    # GitHub's action for the role sets this name, AWS's own CLI reads it first.
    assert run(API_HOST='a', AWS_REGION=REGION) == 'FAILED: Unable to locate credentials\n'


@pytest.mark.parametrize('file', sorted(AWS_FOLDER.glob('*.py')), ids=lambda file: file.name)
def test_the_python_of_cloudshell_can_read_it(file: Any) -> None:
    text = file.read_text(encoding='utf-8')
    ast.parse(text, feature_version=(3, 9))
    # Otherwise `str | None` would be worked out there.
    assert 'from __future__ import annotations\n' in text
