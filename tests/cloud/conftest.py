"""An AWS account in this process: what the tests ask of AWS, moto answers, and nothing leaves the machine."""
import os
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from tests.cloud import moto_models  # pylint: disable=unused-import
from tests.cloud.aws_files import REGION


@pytest.fixture(name='account')
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    """A session in an empty account."""
    for name in [name for name in os.environ if name.startswith('AWS_')]:
        monkeypatch.delenv(name)
    for name in ('AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'BOTO_CONFIG'):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv('AWS_EC2_METADATA_DISABLED', 'true')
    # What ECS would do in its own time: a service's tasks are up at once.
    monkeypatch.setenv('MOTO_ECS_SERVICE_RUNNING', '1')
    with mock_aws():
        yield boto3.Session(aws_access_key_id='test', aws_secret_access_key='test', region_name=REGION)
