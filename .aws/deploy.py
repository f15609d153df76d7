#!/usr/bin/env python3
"""Deploys the services in this folder to ECS: task definitions, migrations, services.

It is idempotent: it creates what is missing and leaves the unchanged alone.

    API_HOST=api.example.com \\
    API_IMAGE=<registry>/talelio-backend:<tag> TRAEFIK_IMAGE=<registry>/talelio-traefik:<tag> \\
    POSTGRESQL_IMAGE=<registry>/talelio-postgresql:<tag> python3 .aws/deploy.py

Without one of the images, its service keeps its current image. Region and credentials are found as
by other AWS tools. If a service does not start, this prints the reason and exits with 1; ECS rolls back to
the previous release.

It requires Python 3.9 or newer and boto3, as in AWS CloudShell.
"""
from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from one_off import OneOffTasks
from progress import DeploymentError, Polling, say
from task_definition import filled, fingerprint, image, short

FOLDER = Path(__file__).resolve().parent
CLUSTER = 'talelio'

# Seconds.
SERVICE_TIMEOUT = 1200

OPTIONAL_SETTINGS = (
    'AUDIT_ADDRESS_DAYS',
    'AUDIT_DAYS',
    'BCRYPT_COST',
    'CACHE_MEMORY',
    'CLIENT_TIMEOUT',
    'DIRECT_DATABASE_URL',
    'EMBED_HOSTS',
    'FRONTEND_URL',
    'IMAGE_MAX_BYTES',
    'IMAGE_MAX_FILES',
    'IMAGE_MAX_FRAMES',
    'IMAGE_MAX_PIXELS',
    'IMAGE_MAX_SUMMED_PIXELS',
    'LOG_LEVEL',
    'MAX_REQUESTS',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'PROXY_HOPS',
    'SECRET_KEY_PREVIOUS',
    'SITE_PROJECT_URL',
    'SITE_USER_URL',
    'TRUSTED_HOSTS',
)


@dataclass(frozen=True)
class Service:
    name: str
    definition_file: str
    # Minimum and maximum percentage of the desired tasks during a deployment.
    minimum: int
    maximum: int
    # The variable with the image, unless the task definition has it.
    image_variable: str | None = None
    # Commands that must succeed with the new release before the rollout.
    commands: tuple[tuple[str, ...], ...] = ()
    # Settings that its task gets if SSM has them. ECS starts no task without a parameter that it names.
    optional_settings: tuple[str, ...] = ()


# The database and the proxy have fixed ports and exclusive data, so the old task stops before the new one
# starts. The API's new task is healthy before the old one stops.
SERVICES = (
    Service(
        'talelio-postgresql',
        'postgresql-task-definition.json',
        minimum=0,
        maximum=100,
        image_variable='POSTGRESQL_IMAGE',
    ),
    Service(
        'talelio-backend',
        'talelio-backend-task-definition.json',
        minimum=100,
        maximum=200,
        image_variable='API_IMAGE',
        commands=(('alembic', 'upgrade', 'head'), ('flask', 'doctor')),
        optional_settings=OPTIONAL_SETTINGS,
    ),
    Service(
        'talelio-traefik',
        'traefik-task-definition.json',
        minimum=0,
        maximum=100,
        image_variable='TRAEFIK_IMAGE',
    ),
)


class Deployment:
    """`pause` is the number of seconds between two requests to AWS."""

    def __init__(self, session: boto3.Session, environ: Mapping[str, str], *, pause: float = 5) -> None:
        if not environ.get('API_HOST'):
            raise DeploymentError('API_HOST is missing: the host name of the API, such as api.example.com')
        self._ecs: Any = session.client('ecs')
        self._ssm: Any = session.client('ssm')
        self._polling = Polling(pause)
        self._one_off = OneOffTasks(session, CLUSTER, self._polling)
        self._environ = environ
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
            wanted = self._environ.get(service.image_variable) or (current and image(current))
            if not wanted:
                say(
                    f'{service.name}: left out, as there is no {service.image_variable} and nothing that runs'
                )
                return
            placeholders[service.image_variable] = wanted
        stored = self._stored(service.optional_settings)
        definition = filled(FOLDER / service.definition_file, placeholders, secrets=stored)
        if current and fingerprint(current) == fingerprint(definition):
            arn = current['taskDefinitionArn']
        else:
            arn = self._ecs.register_task_definition(**definition)['taskDefinition']['taskDefinitionArn']
        for command in service.commands:
            self._one_off.run(arn, definition, command)
        self._roll_out(service, arn, running)

    def _stored(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return the ARNs of those settings that SSM has."""
        if not names:
            return {}
        by_name = {f'/talelio/{name}': name for name in names}
        pages = self._ssm.get_paginator('describe_parameters').paginate(
            ParameterFilters=[{
                'Key': 'Name',
                'Values': list(by_name)
            }]
        )
        found = {by_name[each['Name']] for page in pages for each in page['Parameters']}
        place = f'arn:aws:ssm:{self._placeholders["AWS_REGION"]}:{self._placeholders["AWS_ACCOUNT_ID"]}'
        return {name: f'{place}:parameter/talelio/{name}' for name in sorted(found)}

    def _running(self, service: Service) -> dict[str, Any] | None:
        found = self._ecs.describe_services(cluster=CLUSTER, services=[service.name])['services']
        # A deleted service stays listed as INACTIVE for a while.
        return next((item for item in found if item['status'] == 'ACTIVE'), None)

    def _definition_of(self, running: dict[str, Any]) -> dict[str, Any]:
        response = self._ecs.describe_task_definition(taskDefinition=running['taskDefinition'])
        definition: dict[str, Any] = response['taskDefinition']
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
            say(f'{service.name}: creating it with {short(arn)}')
            started = self._ecs.create_service(
                serviceName=service.name,
                desiredCount=1,
                launchType='EC2',
                # ECS rejects rebalancing if the maximum is 100.
                availabilityZoneRebalancing='DISABLED',
                **settings,
            )['service']
        elif running['taskDefinition'] != arn:
            say(f'{service.name}: from {short(running["taskDefinition"])} to {short(arn)}')
            started = self._ecs.update_service(service=service.name, **settings)['service']
        elif _primary(running)['rolloutState'] == 'FAILED':
            # Such as the first deployment, which has no release to roll back to. Its problem, such as a
            # missing secret, may be fixed by now.
            say(f'{service.name}: {short(arn)} did not start, trying it again')
            started = self._ecs.update_service(service=service.name, forceNewDeployment=True,
                                               **settings)['service']
        else:
            say(f'{service.name}: unchanged, {short(arn)}')
            started = running
        deployment = _primary(started)
        self._polling.wait(
            f'{service.name} to be steady',
            SERVICE_TIMEOUT,
            lambda: self._is_complete(service, deployment),
        )

    def _is_complete(self, service: Service, deployment: dict[str, Any]) -> bool:
        listed = (self._running(service) or {}).get('deployments', ())
        found = next((item for item in listed if item['id'] == deployment['id']), None)
        if found is None:
            if any(item['createdAt'] > deployment['createdAt'] for item in listed):
                raise DeploymentError(f'{service.name}: the deployment was replaced by another one')
            # ECS is eventually consistent: it may not list the new deployment yet.
            return False
        if found['rolloutState'] == 'FAILED':
            # ECS's circuit breaker has rolled back.
            raise DeploymentError(
                f'{service.name}: {found.get("rolloutStateReason", "the deployment failed")}'
            )
        return bool(found['rolloutState'] == 'COMPLETED')


def _primary(running: dict[str, Any]) -> dict[str, Any]:
    """Return the newest deployment of a service."""
    found: dict[str, Any] = next(item for item in running['deployments'] if item['status'] == 'PRIMARY')
    return found


def main() -> None:
    try:
        # boto3 reads only AWS_DEFAULT_REGION, other tools read this one first.
        session = boto3.Session(region_name=os.environ.get('AWS_REGION'))
        Deployment(session, os.environ).run()
    except (DeploymentError, BotoCoreError, ClientError) as error:
        sys.exit(f'FAILED: {error}')


if __name__ == '__main__':
    main()
