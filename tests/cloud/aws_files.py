"""What `.aws` holds, filled in as for a deployment, and its template as plain dictionaries."""
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from talelio_backend.settings import PROJECT_FOLDER

AWS_FOLDER = PROJECT_FOLDER / '.aws'
TEMPLATE_FILE = AWS_FOLDER / 'cloudformation.yml'
GUIDE_FILE = PROJECT_FOLDER / '.github' / 'DEPLOYING_ON_AWS.md'
TRAEFIK_FILE = PROJECT_FOLDER / 'traefik' / 'traefik.toml'

# moto's own.
ACCOUNT_ID = '123456789012'
REGION = 'eu-central-1'
API_HOST = 'api.example.com'
REGISTRY = f'{ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com'
PLACEHOLDERS = {
    'API_HOST': API_HOST,
    'API_IMAGE': f'{REGISTRY}/talelio-backend@sha256:{"0" * 64}',
    'AWS_ACCOUNT_ID': ACCOUNT_ID,
    'AWS_REGION': REGION,
    'POSTGRESQL_IMAGE': f'{REGISTRY}/talelio-postgresql@sha256:{"2" * 64}',
    'TRAEFIK_IMAGE': f'{REGISTRY}/talelio-traefik@sha256:{"1" * 64}',
}

# As for the command itself: Python finds what is beside it.
sys.path.insert(0, str(AWS_FOLDER))
deploy = import_module('deploy')
one_off = import_module('one_off')
progress = import_module('progress')
task_definition = import_module('task_definition')

BACKEND, TRAEFIK, POSTGRESQL = DEFINITION_FILES = (
    'talelio-backend-task-definition.json',
    'traefik-task-definition.json',
    'postgresql-task-definition.json',
)


def definition(file_name: str) -> dict[str, Any]:
    filled: dict[str, Any] = task_definition.filled(AWS_FOLDER / file_name, PLACEHOLDERS)
    return filled


def containers(file_name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = definition(file_name)['containerDefinitions']
    return found


def container(file_name: str) -> dict[str, Any]:
    """The one that the task is for."""
    return containers(file_name)[0]


@cache
def template(file: Path = TEMPLATE_FILE) -> dict[str, Any]:
    """No test changes it."""
    # To import cfn-lint takes each process of pytest-xdist a second.
    content, problems = import_module('cfnlint.decode').decode(str(file))
    assert not problems, problems
    assert content is not None
    return dict(content)


def resources(kind: str, file: Path = TEMPLATE_FILE) -> dict[str, dict[str, Any]]:
    """The properties of the template's resources of one kind, such as AWS::IAM::Role."""
    found = {
        name: resource.get('Properties', {})
        for name, resource in template(file)['Resources'].items() if resource['Type'] == kind
    }
    assert found, f'The template has no {kind}'
    return found


def substituted(value: Any) -> str:
    """A text of the template, with what is known before it is created filled in."""
    text: str = value['Fn::Sub'] if isinstance(value, dict) else value
    for name, known in (('AWS::Region', REGION), ('AWS::AccountId', ACCOUNT_ID), ('AWS::Partition', 'aws')):
        text = text.replace(f'${{{name}}}', known)
    return text
