"""Stand-ins for what the template makes and moto's CloudFormation does not know. Importing them is enough.

The settings of a bucket, its policy, roles and an identity provider are then really in the account; the
rest has a name and its attributes.
"""
# What is abstract moto calls when a stack is changed or deleted, which no test does.
# pylint: disable=abstract-method
import json
from typing import Any, Self

import boto3
from moto import mock_aws
from moto.core.common_models import CloudFormationModel
from moto.iam.models import Role, iam_backends
from moto.rds.models import DBInstance
from moto.s3.models import FakeBucket, s3_backends
from moto.ssm.models import Parameter

__all__ = ['mock_aws']


class _StandIn:
    """What moto asks of every model, beside its type."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.physical_resource_id = name
        self._attributes = attributes

    @staticmethod
    def cloudformation_name_type() -> str:
        return ''

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in ('Arn', 'DomainName', 'Endpoint', 'Id')

    def get_cfn_attribute(self, name: str) -> str:
        return self._attributes[name]

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str,
        **_: Any
    ) -> Self:
        del region_name
        return cls(resource_name, cls.make(cloudformation_json['Properties'], account_id))

    @classmethod
    def make(cls, properties: dict[str, Any], account_id: str) -> dict[str, str]:
        """Make it in the account, and return its attributes."""
        del properties, account_id
        return {}


class BucketPolicy(_StandIn, CloudFormationModel):

    @staticmethod
    def cloudformation_type() -> str:
        return 'AWS::S3::BucketPolicy'

    @classmethod
    def make(cls, properties: dict[str, Any], account_id: str) -> dict[str, str]:
        document = properties['PolicyDocument']
        # CloudFormation leaves out what is AWS::NoValue, moto makes it None.
        statements = [statement for statement in document['Statement'] if statement is not None]
        policy = json.dumps(document | {'Statement': statements}).encode()
        s3_backends[account_id]['aws'].put_bucket_policy(properties['Bucket'], policy)
        return {}


class Alarm(_StandIn, CloudFormationModel):

    @staticmethod
    def cloudformation_type() -> str:
        return 'AWS::CloudWatch::Alarm'

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str,
        **_: Any
    ) -> Self:
        # By its API, which minds each key.
        cloudwatch: Any = boto3.client(
            'cloudwatch', region_name=region_name, aws_access_key_id='test', aws_secret_access_key='test'
        )
        cloudwatch.put_metric_alarm(AlarmName=resource_name, **cloudformation_json['Properties'])
        return cls(resource_name, {})


class TopicPolicy(_StandIn, CloudFormationModel):

    @staticmethod
    def cloudformation_type() -> str:
        return 'AWS::SNS::TopicPolicy'


class MetricFilter(_StandIn, CloudFormationModel):

    @staticmethod
    def cloudformation_type() -> str:
        return 'AWS::Logs::MetricFilter'


class OriginAccessControl(_StandIn, CloudFormationModel):

    @staticmethod
    def cloudformation_type() -> str:
        return 'AWS::CloudFront::OriginAccessControl'

    @classmethod
    def make(cls, properties: dict[str, Any], account_id: str) -> dict[str, str]:
        return {'Id': 'E0'}


class Distribution(_StandIn, CloudFormationModel):

    @staticmethod
    def cloudformation_type() -> str:
        return 'AWS::CloudFront::Distribution'

    @classmethod
    def make(cls, properties: dict[str, Any], account_id: str) -> dict[str, str]:
        return {'DomainName': 'd0.cloudfront.net'}


class DatabaseCluster(_StandIn, CloudFormationModel):

    @staticmethod
    def cloudformation_type() -> str:
        return 'AWS::RDS::DBCluster'

    @classmethod
    def make(cls, properties: dict[str, Any], account_id: str) -> dict[str, str]:
        # moto asks for the first part of Endpoint.Address.
        return {'Endpoint': 'aurora.example.com'}


class DatabaseInstance(_StandIn, CloudFormationModel):
    """moto's own knows neither Aurora nor the attribute's name."""

    @staticmethod
    def cloudformation_type() -> str:
        return DBInstance.cloudformation_type()

    @classmethod
    def make(cls, properties: dict[str, Any], account_id: str) -> dict[str, str]:
        return {'Endpoint': 'rds.example.com'}


class Secret(_StandIn, CloudFormationModel):

    @staticmethod
    def cloudformation_type() -> str:
        return 'AWS::SecretsManager::Secret'

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str,
        **_: Any
    ) -> Self:
        # A reference to it is its ARN.
        return cls(f'arn:aws:secretsmanager:{region_name}:{account_id}:secret:{resource_name}', {})


class ScalableTarget(_StandIn, CloudFormationModel):

    @staticmethod
    def cloudformation_type() -> str:
        return 'AWS::ApplicationAutoScaling::ScalableTarget'


class ScalingPolicy(_StandIn, CloudFormationModel):

    @staticmethod
    def cloudformation_type() -> str:
        return 'AWS::ApplicationAutoScaling::ScalingPolicy'


class SnapshotPolicy(_StandIn, CloudFormationModel):

    @staticmethod
    def cloudformation_type() -> str:
        return 'AWS::DLM::LifecyclePolicy'


class IdentityProvider(_StandIn, CloudFormationModel):

    @staticmethod
    def cloudformation_type() -> str:
        return 'AWS::IAM::OIDCProvider'

    @classmethod
    def make(cls, properties: dict[str, Any], account_id: str) -> dict[str, str]:
        provider = iam_backends[account_id]['aws'].create_open_id_connect_provider(
            properties['Url'], [], properties['ClientIdList'], []
        )
        return {'Arn': provider.arn}


class Bucket(CloudFormationModel):
    """moto's own, which leaves out who may read it."""

    @staticmethod
    def cloudformation_name_type() -> str:
        return FakeBucket.cloudformation_name_type()

    @staticmethod
    def cloudformation_type() -> str:
        return FakeBucket.cloudformation_type()

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str,
        **kwargs: Any
    ) -> FakeBucket:
        bucket = FakeBucket.create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        properties = cloudformation_json['Properties']
        # By its API, which minds each key.
        s3: Any = boto3.client(
            's3', region_name=region_name, aws_access_key_id='test', aws_secret_access_key='test'
        )
        s3.put_public_access_block(
            Bucket=bucket.name, PublicAccessBlockConfiguration=properties['PublicAccessBlockConfiguration']
        )
        cors = properties.get('CorsConfiguration', {}).get('CorsRules', ())
        rules = [{('MaxAgeSeconds' if key == 'MaxAge' else key): value
                  for key, value in rule.items()} for rule in cors]
        if rules:
            s3.put_bucket_cors(Bucket=bucket.name, CORSConfiguration={'CORSRules': rules})
        return bucket


class CheckedRole(CloudFormationModel):
    """moto's own, which takes any policy."""

    @staticmethod
    def cloudformation_name_type() -> str:
        return Role.cloudformation_name_type()

    @staticmethod
    def cloudformation_type() -> str:
        return Role.cloudformation_type()

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return Role.has_cfn_attr(attr)

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str,
        **kwargs: Any
    ) -> Role:
        properties = dict(cloudformation_json['Properties'])
        policies = properties.pop('Policies', [])
        role = Role.create_from_cloudformation_json(
            resource_name, cloudformation_json | {'Properties': properties}, account_id, region_name, **kwargs
        )
        for policy in policies:
            iam_backends[account_id]['aws'].put_role_policy(
                role.name, policy['PolicyName'], json.dumps(policy['PolicyDocument'])
            )
        return role


def _attribute_of_parameter(parameter: Parameter, name: str) -> str:
    return {'Type': parameter.parameter_type, 'Value': parameter.value}[name]


# moto's own has none, for want of which the stack ends without a single output.
Parameter.get_cfn_attribute = _attribute_of_parameter  # type: ignore[attr-defined]
