"""An AWS account in this process: what the tests ask of AWS, moto answers, and nothing leaves the machine."""
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module

import boto3
import botocore.session
import pytest
from botocore.loaders import Loader, create_loader

from tests.cloud.aws_files import REGION


@cache
def _loader() -> Loader:
    """It keeps the descriptions of AWS's services, which each session would read again."""
    return create_loader()


@contextmanager
def new_account() -> Iterator[boto3.Session]:
    """A session in an empty account. moto keeps one at a time."""
    # To import moto takes seconds, which each process of pytest-xdist would spend when it collects the tests.
    moto_models = import_module('tests.cloud.moto_models')
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith('AWS_')]:
            patch.delenv(name)
        for name in ('AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'BOTO_CONFIG'):
            patch.setenv(name, os.devnull)
        patch.setenv('AWS_EC2_METADATA_DISABLED', 'true')
        # What ECS would do in its own time: a service's tasks are up at once.
        patch.setenv('MOTO_ECS_SERVICE_RUNNING', '1')
        with moto_models.mock_aws():
            session = botocore.session.get_session()
            session.register_component('data_loader', _loader())
            yield boto3.Session(
                aws_access_key_id='test',
                aws_secret_access_key='test',
                region_name=REGION,
                botocore_session=session
            )


@pytest.fixture(name='account')
def _account() -> Iterator[boto3.Session]:
    with new_account() as account:
        yield account
