"""Stand-ins for what the template makes and moto's CloudFormation does not know. Importing them is enough.

A bucket's policy and an identity provider are then really in the account; the rest has a name and its attributes.
"""
import json
from typing import Any, Self

from moto.core.common_models import CloudFormationModel
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends


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
        return attr in ('Arn', 'DomainName', 'Id')

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
        policy = json.dumps(properties['PolicyDocument']).encode()
        s3_backends[account_id]['aws'].put_bucket_policy(properties['Bucket'], policy)
        return {}


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
