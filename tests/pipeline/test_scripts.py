"""The small scripts of the workflows."""
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from talelio_backend.settings import PROJECT_FOLDER
from tests.pipeline.conftest import Run

SCRIPTS = PROJECT_FOLDER / '.ci'

# pushed-image


def test_an_image_that_is_there_is_found(run: Run) -> None:
    responses = {'batch-get-image': {'images': [{'imageId': {'imageDigest': 'sha256:1', 'imageTag': 'a'}}]}}

    result = run(responses, SCRIPTS / 'pushed-image', 'repository', 'a')

    assert (result.returncode, result.stdout) == (0, 'tag=a\ndigest=sha256:1\n')


def test_an_image_that_is_not_there_has_no_digest(run: Run) -> None:
    responses = {'batch-get-image': {'images': [], 'failures': [{'failureCode': 'ImageNotFound'}]}}

    result = run(responses, SCRIPTS / 'pushed-image', 'repository', 'a')

    assert (result.returncode, result.stdout) == (0, 'tag=a\ndigest=\n')


def test_a_registry_that_does_not_answer_is_no_absent_image(run: Run) -> None:
    result = run({'batch-get-image': None}, SCRIPTS / 'pushed-image', 'repository', 'a')

    assert result.returncode != 0
    assert 'digest' not in result.stdout


# check-deployed


def check_deployed(run: Run, *, image: str, state: str) -> subprocess.CompletedProcess[str]:
    deployments = [
        {
            'status': 'ACTIVE',
            'taskDefinition': 'arn:api:1',
            'rolloutState': 'IN_PROGRESS'
        },
        {
            'status': 'PRIMARY',
            'taskDefinition': 'arn:api:2',
            'rolloutState': state
        },
    ]
    containers = [{'name': 'sidecar', 'image': 'other'}, {'name': 'api', 'image': image}]
    responses = {
        'describe-services': {
            'services': [{
                'deployments': deployments
            }]
        },
        'describe-task-definition': {
            'taskDefinition': {
                'containerDefinitions': containers
            }
        },
    }
    return run(responses, SCRIPTS / 'check-deployed', 'cluster', 'api', 'registry/api@sha256:2')


def test_the_image_that_was_to_be_deployed_is(run: Run, tmp_path: Path) -> None:
    result = check_deployed(run, image='registry/api@sha256:2', state='COMPLETED')

    assert result.returncode == 0, result.stderr
    assert 'arn:api:2' in (tmp_path / 'calls').read_text(encoding='utf-8').splitlines()[1]


def test_going_back_to_the_release_before_is_a_failure(run: Run) -> None:
    result = check_deployed(run, image='registry/api@sha256:1', state='COMPLETED')

    assert result.returncode == 1
    assert 'went back to the release before' in result.stdout


@pytest.mark.parametrize('state', ['IN_PROGRESS', 'FAILED'])
def test_a_deployment_that_is_not_complete_is_a_failure(run: Run, state: str) -> None:
    result = check_deployed(run, image='registry/api@sha256:2', state=state)

    assert result.returncode == 1
    assert f'is {state}' in result.stdout


@pytest.mark.parametrize(
    'responses', [{'describe-services': None}, {'describe-services': {'services': []},
                                              'describe-task-definition': None}],
    ids=['no answer', 'no service']
)  # yapf: disable
def test_a_service_that_cannot_be_asked_is_a_failure(run: Run, responses: dict[str, Any]) -> None:
    result = run(responses, SCRIPTS / 'check-deployed', 'cluster', 'api', 'registry/api@sha256:2')

    assert result.returncode != 0


# serving-definition, roll-back


@pytest.mark.parametrize(
    ('services', 'definition'),
    [
        (
            [{'status': 'INACTIVE', 'taskDefinition': 'arn:api:0'},
             {'status': 'ACTIVE', 'taskDefinition': 'arn:api:1'}],
            'arn:api:1'
        ),
        ([], ''),
    ],
    ids=['serves', 'first time']
)  # yapf: disable
def test_what_serves_is_remembered(run: Run, services: list[dict[str, str]], definition: str) -> None:
    result = run({'describe-services': {
        'services': services
    }}, SCRIPTS / 'serving-definition', 'cluster', 'api', 'before')

    assert (result.returncode, result.stdout) == (0, f'before={definition}\n')


def test_a_service_goes_back_to_what_it_ran(run: Run, tmp_path: Path) -> None:
    responses = {'update-service': {'service': {'taskDefinition': 'arn:api:1'}}, 'wait': {}}

    result = run(responses, SCRIPTS / 'roll-back', 'cluster', 'api', 'arn:api:1')

    assert result.returncode == 0, result.stderr
    update, wait = (tmp_path / 'calls').read_text(encoding='utf-8').splitlines()
    assert '"--task-definition", "arn:api:1"' in update
    assert wait.startswith('["ecs", "wait", "services-stable"')


def test_a_roll_back_that_fails_is_a_failure(run: Run) -> None:
    responses = {'update-service': {'service': {'taskDefinition': 'arn:api:1'}}, 'wait': None}

    assert run(responses, SCRIPTS / 'roll-back', 'cluster', 'api', 'arn:api:1').returncode != 0


def test_the_first_release_has_nothing_to_go_back_to(run: Run) -> None:
    result = run({}, SCRIPTS / 'roll-back', 'cluster', 'api', '')

    assert (result.returncode, result.stdout) == (0, '::warning::api has no release to go back to\n')


# released_commit.py


def released_commit(run: Run, *states: str) -> subprocess.CompletedProcess[str]:
    nodes = [{'commitOid': f'commit{number}', 'state': state} for number, state in enumerate(states)]
    response = {'data': {'repository': {'deployments': {'nodes': nodes}}}}
    return run({'graphql': response}, sys.executable, SCRIPTS / 'released_commit.py')


def test_the_release_is_the_newest_that_was_deployed_to_the_end(run: Run) -> None:
    result = released_commit(run, 'IN_PROGRESS', 'FAILURE', 'ACTIVE', 'INACTIVE')

    assert (result.returncode, result.stdout, result.stderr) == (0, 'commit=commit2\n', '')


@pytest.mark.parametrize('states', [(), ('FAILURE', )], ids=['never tried', 'failed'])
def test_before_the_first_deployment_there_is_no_release_and_a_warning(
    run: Run, states: tuple[str, ...]
) -> None:
    result = released_commit(run, *states)

    assert (result.returncode, result.stdout) == (0, 'commit=\n')
    assert result.stderr.startswith('::warning::Nothing is in production yet')


def test_no_answer_is_not_taken_for_no_release(run: Run) -> None:
    result = run({'graphql': None}, sys.executable, SCRIPTS / 'released_commit.py')

    assert result.returncode != 0
    assert result.stdout == ''
