"""An AWS account in this process: what the tests ask of AWS, moto answers, and nothing leaves the machine."""
import os
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from moto import mock_aws

from tests.cloud import moto_models  # pylint: disable=unused-import
from tests.cloud.aws_files import REGION


@contextmanager
def new_account() -> Iterator[boto3.Session]:
    """A session in an empty account. moto keeps one at a time."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith('AWS_')]:
            patch.delenv(name)
        for name in ('AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'BOTO_CONFIG'):
            patch.setenv(name, os.devnull)
        patch.setenv('AWS_EC2_METADATA_DISABLED', 'true')
        # What ECS would do in its own time: a service's tasks are up at once.
        patch.setenv('MOTO_ECS_SERVICE_RUNNING', '1')
        with mock_aws():
            yield boto3.Session(aws_access_key_id='test', aws_secret_access_key='test', region_name=REGION)


@pytest.fixture(name='account')
def _account() -> Iterator[boto3.Session]:
    with new_account() as account:
        yield account
