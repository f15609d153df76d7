"""What the linters of .ci/check-infra do not ask of the workflows."""
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from talelio_backend.settings import PROJECT_FOLDER
from tests.pipeline.conftest import TIMEOUT

WORKFLOWS = sorted((PROJECT_FOLDER / '.github' / 'workflows').glob('*.yml'))
CD = PROJECT_FOLDER / '.github' / 'workflows' / 'cd.yml'
# Whose owners are known here. Another one is a decision: each runs with the rights of its job.
OWNERS = {'actions', 'aws-actions', 'codecov', 'docker'}


def load(file: Path) -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.safe_load(file.read_text(encoding='utf-8'))
    return workflow


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in WORKFLOWS:
        for name, job in load(file)['jobs'].items():
            yield f'{file.name}: {name}', job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in jobs():
        for number, step in enumerate(job.get('steps', ()), 1):
            yield f'{name}, step {number}', step


SCRIPTS = {name: step['run'] for name, step in steps() if 'run' in step}
ACTIONS = {name: step['uses'] for name, step in steps() if 'uses' in step}


def test_there_are_workflows_to_look_at() -> None:
    assert {file.name for file in WORKFLOWS} >= {'ci.yml', 'cd.yml'}
    assert len(SCRIPTS) > 10
    assert len(ACTIONS) > 10


@pytest.mark.parametrize('script', SCRIPTS.values(), ids=SCRIPTS)
def test_a_step_is_a_sound_script_that_nothing_is_put_into(script: str) -> None:
    assert '${{' not in script, 'hand it over by env:'
    shellcheck = [str(Path(sys.executable).parent / 'shellcheck'), '--shell=bash', '-']
    result = subprocess.run(
        shellcheck, input=script, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize('script', SCRIPTS.values(), ids=SCRIPTS)
def test_what_a_step_calls_is_there(script: str) -> None:
    for path in re.findall(r'(?<![\w/])\.ci/[\w.-]+', script):
        assert (PROJECT_FOLDER / path).is_file(), path
    makefile = (PROJECT_FOLDER / 'Makefile').read_text(encoding='utf-8')
    for target in re.findall(r'\bmake ([\w-]+)', script):
        assert re.search(rf'^{target}:', makefile, re.MULTILINE), target


def test_actions_are_pinned_to_one_commit_each_of_a_known_owner() -> None:
    pinned: dict[str, str] = {}
    for name, action in ACTIONS.items():
        path, _, commit = action.partition('@')
        assert path.partition('/')[0] in OWNERS, name
        assert re.fullmatch('[0-9a-f]{40}', commit), name
        assert pinned.setdefault(path, commit) == commit, f'{name}: two versions of {path}'


def test_every_job_says_its_rights_and_a_workflow_gives_none() -> None:
    assert [load(file)['permissions'] for file in WORKFLOWS] == [{}] * len(WORKFLOWS)
    for name, job in jobs():
        assert isinstance(job['permissions'], dict), name


def test_only_jobs_that_run_nothing_of_a_pull_requests_can_become_the_role() -> None:
    with_role = {name for name, job in jobs() if 'id-token' in job['permissions']}

    assert with_role == {'cd.yml: images', 'cd.yml: deploy', 'cd.yml: roll-back'}
    # YAML 1.1 takes the key `on` for a truth.
    triggers: Any = {str(k): v for k, v in load(CD).items()}['True']
    assert triggers == {'push': {'branches': ['main']}}


def test_no_long_lived_key_is_used() -> None:
    used = {
        secret
        for file in WORKFLOWS
        for secret in re.findall(r'secrets\.(\w+)', file.read_text(encoding='utf-8'))
    }

    assert used == {'CODECOV_TOKEN'}


def test_what_runs_in_production_has_passed_the_checks_and_been_asked() -> None:
    needs = {name: job.get('needs') for name, job in load(CD)['jobs'].items()}

    assert needs == {
        'checks': None,
        'images': 'checks',
        'deploy': 'images',
        'smoke': 'deploy',
        'roll-back': ['deploy', 'smoke']
    }


def test_a_release_that_fails_when_it_is_asked_is_rolled_back() -> None:
    found = load(CD)['jobs']
    remembered = {step.get('id'): number for number, step in enumerate(found['deploy']['steps'])}
    names = [step.get('name') for step in found['deploy']['steps']]

    assert found['roll-back']['if'] == "failure() && needs.smoke.result == 'failure'"
    # Before the switch.
    assert max(remembered['api'], remembered['traefik']) < names.index('Deploy')
    for service in ('api', 'traefik'):
        assert found['deploy']['outputs'][f'{service}-before'] == f'${{{{ steps.{service}.outputs.before }}}}'
    given = [step['env']['BEFORE'] for step in found['roll-back']['steps'] if 'env' in step]
    assert given == [f'${{{{ needs.deploy.outputs.{name}-before }}}}' for name in ('api', 'traefik')]


def test_images_are_built_for_both_architectures_before_a_change_is_merged_and_before_it_is_deployed(
) -> None:
    builds = [
        step['with'] for _, step in steps() if step.get('uses', '').startswith('docker/build-push-action')
    ]

    assert len(builds) == 4
    assert {build['platforms'] for build in builds} == {'linux/amd64,linux/arm64'}
    contexts = set(dict(jobs())['ci.yml: images']['strategy']['matrix']['context'])
    assert contexts == {build['context'] for build in builds if build['push']}


def test_ci_runs_what_the_local_check_runs() -> None:
    local = re.findall(r'^(?:make |\.ci/)([\w-]+)', (PROJECT_FOLDER / '.ci' / 'run').read_text('utf-8'), re.M)
    checks = dict(jobs())['ci.yml: checks']
    commands = [step['run'] for step in checks['steps'] if 'run' in step]
    remote = [command.removeprefix('make ').removeprefix('.ci/') for command in commands]

    # One Python measures the coverage of the same suites.
    assert remote.pop() == 'coverage'
    assert local == remote
    assert len(local) >= 5


def test_every_night_runs_what_is_too_long_for_a_change() -> None:
    makefile = (PROJECT_FOLDER / 'Makefile').read_text(encoding='utf-8')
    targets = dict(jobs())['nightly.yml: nightly']['strategy']['matrix']['target']

    assert set(targets) == {'test-limits', 'test-faults', 'test-cluster', 'fuzz'}
    for target in targets:
        assert re.search(rf'^{target}:', makefile, re.MULTILINE), target
