#!/usr/bin/env python3
"""Brings what this folder describes onto ECS: task definitions, migrations, services.

Run it as often as you like: what has not changed is left alone, what is absent is made.

    API_HOST=api.example.com \\
    API_IMAGE=<registry>/talelio-backend:<tag> TRAEFIK_IMAGE=<registry>/talelio-traefik:<tag> \\
        python3 .aws/deploy.py

Without API_IMAGE or TRAEFIK_IMAGE that service keeps the image it has. Region and credentials are found as
by every AWS tool. Exits with 1 and says why when something did not come up; ECS then goes on with the release
before.

For Python 3.9 or newer with boto3, as AWS CloudShell has them.
"""
from __future__ import annotations

import hashlib
import json
import os
import string
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

FOLDER = Path(__file__).resolve().parent
CLUSTER = 'talelio'
# A docker label that says what a task definition was made from: ECS adds defaults to what it gives back.
FINGERPRINT = 'talelio.definition'
LOG_LINES = 30

# Seconds.
PATIENCE_FOR_MACHINE = 300
PATIENCE_FOR_TASK = 900
PATIENCE_FOR_SERVICE = 1200


@dataclass(frozen=True)
class Service:
    name: str
    definition_file: str
    # Per cent of the tasks wanted that run in the midst of a deployment, at least and at most.
    minimum: int
    maximum: int
    # The variable that names its image, where that is not written down.
    image_variable: str | None = None
    # What must succeed with the new release before it serves.
    commands: tuple[tuple[str, ...], ...] = ()


# The database and the proxy have fixed ports on the one machine, and data that only one may use: the old task
# goes before the new one comes. Of the API the new one comes, and is healthy, before the old one goes.
SERVICES = (
    Service('talelio-postgresql', 'postgresql-task-definition.json', minimum=0, maximum=100),
    Service(
        'talelio-backend',
        'talelio-backend-task-definition.json',
        minimum=100,
        maximum=200,
        image_variable='API_IMAGE',
        commands=(('alembic', 'upgrade', 'head'), ('flask', 'doctor')),
    ),
    Service(
        'talelio-traefik',
        'traefik-task-definition.json',
        minimum=0,
        maximum=100,
        image_variable='TRAEFIK_IMAGE',
    ),
)


class DeploymentError(Exception):
    """What did not come up, in words for the one who deploys."""


class Deployment:
    """`pause` is for how many seconds to wait before AWS is asked again."""

    def __init__(self, session: boto3.Session, environ: Mapping[str, str], *, pause: float = 5) -> None:
        if not environ.get('API_HOST'):
            raise DeploymentError('API_HOST is missing: the host name of the API, such as api.example.com')
        self._ecs: Any = session.client('ecs')
        self._logs: Any = session.client('logs')
        self._environ = environ
        self._pause = pause
        self._placeholders = {
            'API_HOST': environ['API_HOST'],
            'AWS_ACCOUNT_ID': session.client('sts').get_caller_identity()['Account'],
            'AWS_REGION': session.region_name,
        }

    def run(self) -> None:
        for service in SERVICES:
            self._deploy(service)

    def _deploy(self, service: Service) -> None:
        running = self._running(service)
        current = self._definition_of(running) if running else None
        placeholders = dict(self._placeholders)
        if service.image_variable:
            image = self._environ.get(service.image_variable) or (current and _image(current))
            if not image:
                say(
                    f'{service.name}: left out, as there is no {service.image_variable} and nothing that runs'
                )
                return
            placeholders[service.image_variable] = image
        definition = filled(FOLDER / service.definition_file, placeholders)
        if current and _fingerprint(current) == _fingerprint(definition):
            arn = current['taskDefinitionArn']
        else:
            arn = self._ecs.register_task_definition(**definition)['taskDefinition']['taskDefinitionArn']
        for command in service.commands:
            self._run_once(service, arn, definition, command)
        self._roll_out(service, arn, running)

    def _running(self, service: Service) -> dict[str, Any] | None:
        found = self._ecs.describe_services(cluster=CLUSTER, services=[service.name])['services']
        # A deleted service is shown as INACTIVE for a while.
        return next((item for item in found if item['status'] == 'ACTIVE'), None)

    def _definition_of(self, running: dict[str, Any]) -> dict[str, Any]:
        answer = self._ecs.describe_task_definition(taskDefinition=running['taskDefinition'])
        definition: dict[str, Any] = answer['taskDefinition']
        return definition

    def _roll_out(self, service: Service, arn: str, running: dict[str, Any] | None) -> None:
        settings = {
            'cluster': CLUSTER,
            'taskDefinition': arn,
            'deploymentConfiguration': {
                'minimumHealthyPercent': service.minimum,
                'maximumPercent': service.maximum,
                'deploymentCircuitBreaker': {
                    'enable': True,
                    'rollback': True
                },
            },
        }
        if running is None:
            say(f'{service.name}: creating it with {_short(arn)}')
            started = self._ecs.create_service(
                serviceName=service.name,
                desiredCount=1,
                launchType='EC2',
                # There is one zone, and where the maximum is 100 ECS refuses to rebalance.
                availabilityZoneRebalancing='DISABLED',
                **settings,
            )
        elif running['taskDefinition'] == arn:
            say(f'{service.name}: unchanged, {_short(arn)}')
            started = {'service': running}
        else:
            say(f'{service.name}: from {_short(running["taskDefinition"])} to {_short(arn)}')
            started = self._ecs.update_service(service=service.name, **settings)
        deployment = next(
            item['id'] for item in started['service']['deployments'] if item['status'] == 'PRIMARY'
        )
        self._wait(
            f'{service.name} to be steady',
            PATIENCE_FOR_SERVICE,
            lambda: self._is_complete(service, deployment),
        )

    def _is_complete(self, service: Service, deployment: str) -> bool:
        running = self._running(service)
        found = next((item for item in (running or {}).get('deployments', ()) if item['id'] == deployment),
                     None)
        if found is None:
            raise DeploymentError(f'{service.name}: the deployment was replaced by another one')
        if found['rolloutState'] == 'FAILED':
            # ECS, by its circuit breaker, has gone back to the release before.
            raise DeploymentError(
                f'{service.name}: {found.get("rolloutStateReason", "the deployment failed")}'
            )
        return bool(found['rolloutState'] == 'COMPLETED')

    def _run_once(
        self, service: Service, arn: str, definition: dict[str, Any], command: tuple[str, ...]
    ) -> None:
        what = f'{service.name}: {" ".join(command)}'
        container = definition['containerDefinitions'][0]['name']
        say(what)

        def start() -> str | None:
            try:
                answer = self._ecs.run_task(
                    cluster=CLUSTER,
                    taskDefinition=arn,
                    launchType='EC2',
                    count=1,
                    startedBy='deploy.py',
                    overrides={'containerOverrides': [{
                        'name': container,
                        'command': list(command)
                    }]},
                )
            except ClientError as error:
                # So ECS says while the machine has not yet joined the cluster.
                if 'No Container Instances' not in str(error):
                    raise
                return None
            if answer['failures']:
                say('  cannot be placed: ' + ', '.join(failure['reason'] for failure in answer['failures']))
            return answer['tasks'][0]['taskArn'] if answer['tasks'] else None

        task_arn = self._wait(f'a place for {what}', PATIENCE_FOR_MACHINE, start)

        def stopped() -> dict[str, Any] | None:
            task: dict[str, Any] = self._ecs.describe_tasks(cluster=CLUSTER, tasks=[task_arn])['tasks'][0]
            return task if task['lastStatus'] == 'STOPPED' else None

        task = self._wait(f'the end of {what}', PATIENCE_FOR_TASK, stopped)
        ended = next(item for item in task['containers'] if item['name'] == container)
        # One that never started has no exit code.
        if ended.get('exitCode') != 0:
            reason = ended.get('reason') or task.get('stoppedReason') or 'no reason given'
            self._show_log(definition, f'{container}/{task_arn.rpartition("/")[2]}')
            raise DeploymentError(f'{what}: exit code {ended.get("exitCode")} ({reason})')

    def _show_log(self, definition: dict[str, Any], stream: str) -> None:
        options = definition['containerDefinitions'][0]['logConfiguration']['options']
        group, stream = options['awslogs-group'], f'{options["awslogs-stream-prefix"]}/{stream}'
        say(f'  the end of its log, {stream} in {group}:')
        try:
            events = self._logs.get_log_events(
                logGroupName=group, logStreamName=stream, limit=LOG_LINES, startFromHead=False
            )['events']
        except ClientError as error:
            say(f'  cannot be read: {error}')
        else:
            for event in events:
                say(f'  | {event["message"]}')

    def _wait(self, what: str, patience: float, ask: Callable[[], Any]) -> Any:
        give_up = time.monotonic() + patience
        while not (answer := ask()):
            if time.monotonic() >= give_up:
                raise DeploymentError(f'Waited {patience:g} seconds in vain for {what}')
            time.sleep(self._pause)
        return answer


def filled(file: Path, placeholders: Mapping[str, str]) -> dict[str, Any]:
    """The task definition with its `${…}` filled in. Raises KeyError where there is no value for one."""
    definition: dict[str, Any] = json.loads(
        string.Template(file.read_text(encoding='utf-8')).substitute(placeholders)
    )
    content = json.dumps(definition, sort_keys=True).encode()
    labels = definition['containerDefinitions'][0].setdefault('dockerLabels', {})
    labels[FINGERPRINT] = hashlib.sha256(content).hexdigest()
    return definition


def say(line: str) -> None:
    print(line, flush=True)


def _fingerprint(definition: Mapping[str, Any]) -> str | None:
    labels: Mapping[str, str] = definition['containerDefinitions'][0].get('dockerLabels', {})
    return labels.get(FINGERPRINT)


def _image(definition: Mapping[str, Any]) -> str:
    image: str = definition['containerDefinitions'][0]['image']
    return image


def _short(arn: str) -> str:
    return arn.rpartition('/')[2]


def main() -> None:
    try:
        Deployment(boto3.Session(), os.environ).run()
    except (DeploymentError, BotoCoreError, ClientError) as error:
        sys.exit(f'FAILED: {error}')


if __name__ == '__main__':
    main()
