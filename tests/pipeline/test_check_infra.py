"""Each linter of .ci/check-infra runs, on the files that it is for, and its complaint is a failure."""
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from talelio_backend.settings import PROJECT_FOLDER
from tests.pipeline.conftest import TIMEOUT

WORKFLOW = """\
name: A
on:
  push:
permissions: {}
concurrency:
  group: a
  cancel-in-progress: false
jobs:
  a:
    name: A
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - name: A
        run: echo "$TITLE"
        env:
          TITLE: ${{ github.event.head_commit.message }}
"""
DEPENDABOT = """\
version: 2
updates:
  - package-ecosystem: pip
    directory: /
    schedule:
      interval: weekly
    cooldown:
      default-days: 7
"""
COMPOSE = """\
services:
  a:
    image: postgres:18
"""
TEMPLATE = """\
AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: a-bucket
"""
DEFINITION = """\
{
  "family": "a",
  "containerDefinitions": [{"name": "a", "image": "a", "memory": 128}]
}
"""
DOCKERFILE = """\
FROM debian:12.5
WORKDIR /srv
"""
SCRIPT = """\
#!/usr/bin/env bash
echo "$1"
"""


@dataclass(frozen=True)
class Case:
    check: str
    file: str
    good: str
    # What is changed in it, and the linter's name for the complaint.
    change: tuple[str, str]
    complaint: str


CASES = {
    'a key twice':
    Case('yaml', 'a/b.yaml', 'a: 1\n', ('a: 1\n', 'a: 1\na: 2\n'), 'key-duplicates'),
    'a misspelt key of a workflow':
    Case('workflows', '.github/workflows/a.yml', WORKFLOW, ('steps:', 'step:'), "'step' was unexpected"),
    'a job without a time-out':
    Case(
        'workflows', '.github/workflows/a.yml', WORKFLOW, ('    timeout-minutes: 5\n', ''), 'timeout-minutes'
    ),
    'an injection':
    Case(
        'workflow-security', '.github/workflows/a.yml', WORKFLOW,
        ('"$TITLE"', '"${{ github.event.head_commit.message }}"'), 'template-injection'
    ),
    'an action that is not pinned':
    Case(
        'workflow-security', '.github/workflows/a.yml', WORKFLOW,
        ('    steps:\n', '    steps:\n      - uses: some/action@v1\n'), 'unpinned-uses'
    ),
    'a checkout that leaves its token behind':
    Case(
        'workflow-security', '.github/workflows/a.yml', WORKFLOW,
        ('    steps:\n', f'    steps:\n      - uses: actions/checkout@{"0" * 40} # v1.0.0\n'), 'artipacked'
    ),
    'all rights':
    Case(
        'workflow-security', '.github/workflows/a.yml', WORKFLOW,
        ('permissions: {}', 'permissions: write-all'), 'excessive-permissions'
    ),
    'updates on their first day':
    Case(
        'workflow-security', '.github/dependabot.yml', DEPENDABOT,
        ('    cooldown:\n      default-days: 7\n', ''), 'dependabot-cooldown'
    ),
    'an interval that Dependabot does not know':
    Case('dependabot', '.github/dependabot.yml', DEPENDABOT, ('weekly', 'hourly'), "'hourly' is not one of"),
    'a misspelt key of a container':
    Case('compose', 'docker-compose.yml', COMPOSE, ('image:', 'imag:'), "'imag' was unexpected"),
    'a misspelt property of a resource':
    Case('cloudformation', '.aws/cloudformation.yml', TEMPLATE, ('BucketName', 'BucketNam'), 'E3002'),
    'a misspelt key of a container on ECS':
    Case(
        'task-definitions', '.aws/a-task-definition.json', DEFINITION, ('"memory"', '"memori"'),
        'Unknown parameter in containerDefinitions[0]: "memori"'
    ),
    'a text where ECS takes a number':
    Case('task-definitions', '.aws/a-task-definition.json', DEFINITION, ('128', '"128"'), 'Invalid type'),
    'an image without a version':
    Case('dockerfiles', 'a/Dockerfile', DOCKERFILE, (':12.5', ''), 'DL3006'),
    'a command that a shell would split':
    Case('shell', 'a/script', SCRIPT, ('"$1"', '$1'), 'SC2086'),
}


@pytest.fixture(name='folder')
def _folder(tmp_path: Path) -> Path:
    """A project that holds the check alone."""
    (tmp_path / '.ci').mkdir()
    for name in ('check-infra', 'check_task_definitions.py'):
        shutil.copy(PROJECT_FOLDER / '.ci' / name, tmp_path / '.ci')
    shutil.copy(PROJECT_FOLDER / '.yamllint.yml', tmp_path)
    (tmp_path / '.env.example').touch()
    subprocess.run(['git', 'init', '--quiet'], cwd=tmp_path, check=True, timeout=TIMEOUT)
    return tmp_path


def check_infra(folder: Path, *checks: str) -> subprocess.CompletedProcess[str]:
    tools = str(Path(sys.executable).parent)
    return subprocess.run([folder / '.ci' / 'check-infra', *checks],
                          env={
                              'PATH': os.pathsep.join([tools, os.environ['PATH']]),
                              'HOME': str(folder)
                          },
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          text=True,
                          timeout=TIMEOUT,
                          check=False)


@pytest.mark.parametrize('case', CASES.values(), ids=CASES)
def test_a_linter_that_complains_fails_the_check(folder: Path, case: Case) -> None:
    file = folder / case.file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(case.good, encoding='utf-8')
    good = check_infra(folder, case.check)
    assert case.good.count(case.change[0]) == 1
    file.write_text(case.good.replace(*case.change), encoding='utf-8')
    bad = check_infra(folder, case.check)

    assert good.returncode == 0, good.stdout
    assert bad.returncode == 1, bad.stdout
    assert case.complaint in bad.stdout
    assert bad.stdout.endswith(f'FAILED: {case.check}\n')


def test_a_check_that_finds_nothing_to_look_at_fails(folder: Path) -> None:
    result = check_infra(folder)

    assert result.returncode == 1
    # There are the check itself, a shell script, and yamllint's settings.
    assert result.stdout.endswith(
        'FAILED: workflows workflow-security dependabot compose cloudformation task-definitions dockerfiles\n'
    ), result.stdout


def test_a_linter_that_is_missing_fails_the_check(folder: Path) -> None:
    (folder / 'script').write_text(SCRIPT, encoding='utf-8')
    empty = folder / '.venv' / 'bin'
    empty.mkdir(parents=True)
    (empty / 'shellcheck').write_text('#!/bin/sh\nexit 127\n', encoding='utf-8')
    (empty / 'shellcheck').chmod(0o755)

    assert check_infra(folder, 'shell').returncode == 1
