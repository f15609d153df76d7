"""Runs commands in one-off tasks."""
from __future__ import annotations

from typing import Any

import boto3
from botocore.exceptions import ClientError
from progress import DeploymentError, Polling, say

LOG_LINES = 30

# Seconds.
MACHINE_TIMEOUT = 300
TASK_TIMEOUT = 900


class OneOffTasks:

    def __init__(self, session: boto3.Session, cluster: str, polling: Polling) -> None:
        self._ecs: Any = session.client('ecs')
        self._logs: Any = session.client('logs')
        self._cluster = cluster
        self._polling = polling

    def run(self, arn: str, definition: dict[str, Any], command: tuple[str, ...]) -> None:
        """Run a command in the container of a task definition and wait until it exits.

        If it fails, print the end of its log and raise DeploymentError.
        """
        what = f'{definition["family"]}: {" ".join(command)}'
        container = definition['containerDefinitions'][0]['name']
        say(what)
        task_arn = self._polling.wait(
            f'a place for {what}', MACHINE_TIMEOUT, lambda: self._start(arn, container, command)
        )
        task = self._polling.wait(f'the end of {what}', TASK_TIMEOUT, lambda: self._stopped(task_arn))
        ended = next(item for item in task['containers'] if item['name'] == container)
        # A container that never started has no exit code.
        if ended.get('exitCode') != 0:
            reason = ended.get('reason') or task.get('stoppedReason') or 'no reason given'
            self._show_log(definition, f'{container}/{task_arn.rpartition("/")[2]}')
            raise DeploymentError(f'{what}: exit code {ended.get("exitCode")} ({reason})')

    def _start(self, arn: str, container: str, command: tuple[str, ...]) -> str | None:
        try:
            response = self._ecs.run_task(
                cluster=self._cluster,
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
            # The instance has not joined the cluster yet.
            if 'No Container Instances' not in str(error):
                raise
            return None
        if response['failures']:
            say('  cannot be placed: ' + ', '.join(failure['reason'] for failure in response['failures']))
        return response['tasks'][0]['taskArn'] if response['tasks'] else None

    def _stopped(self, task_arn: str) -> dict[str, Any] | None:
        found: list[dict[str, Any]] = self._ecs.describe_tasks(cluster=self._cluster,
                                                               tasks=[task_arn])['tasks']
        # ECS is eventually consistent: it may not list a new task yet.
        return next((task for task in found if task['lastStatus'] == 'STOPPED'), None)

    def _show_log(self, definition: dict[str, Any], stream: str) -> None:
        options = definition['containerDefinitions'][0]['logConfiguration']['options']
        group, stream = options['awslogs-group'], f'{options["awslogs-stream-prefix"]}/{stream}'
        say(f'  last lines of its log, {stream} in {group}:')
        try:
            events = self._logs.get_log_events(
                logGroupName=group, logStreamName=stream, limit=LOG_LINES, startFromHead=False
            )['events']
        except ClientError as error:
            say(f'  cannot be read: {error}')
        else:
            for event in events:
                say(f'  | {event["message"]}')
