"""The stack as moto makes it, whatever its parameters say: who may do what, and what the API is told."""
import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import xform_name

from talelio_backend.app_asset.data.stores import s3_store
from tests.cloud.aws_files import ACCOUNT_ID, REGION, TEMPLATE_FILE, resources, template
from tests.cloud.conftest import new_account

STACK = 'talelio'
PARAMETERS = {
    'AvailabilityZone': f'{REGION}a',
    'CorsOrigins': 'https://www.example.com,http://localhost:3000',
    'WhitelistedEmails': 'maker@example.com',
    'EmailSender': 'My site <noreply@example.com>',
}

# What the image store calls, by the names that IAM has for it.
OF_THE_STORE = {
    'put_object': 's3:PutObject',
    'head_object': 's3:GetObject',
    'delete_object': 's3:DeleteObject',
    'list_objects_v2': 's3:ListBucket',
}


def create(account: boto3.Session, **parameters: str) -> dict[str, str]:
    """Create the stack and return its outputs."""
    # The newest machine image of ECS, which EC2 looks up when it launches.
    text, _ = re.subn(
        'resolve:ssm:/aws/service/ecs/.*/image_id', _some_image(account),
        TEMPLATE_FILE.read_text(encoding='utf-8')
    )
    cloudformation: Any = account.client('cloudformation')
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=text,
        Capabilities=['CAPABILITY_NAMED_IAM'],
        Parameters=[{
            'ParameterKey': name,
            'ParameterValue': value
        } for name, value in (PARAMETERS | parameters).items()],
    )
    stack, = cloudformation.describe_stacks(StackName=STACK)['Stacks']
    assert stack['StackStatus'] == 'CREATE_COMPLETE'
    return {output['OutputKey']: output['OutputValue'] for output in stack['Outputs']}


def _some_image(account: boto3.Session) -> str:
    ec2: Any = account.client('ec2')
    image_id: str = ec2.register_image(Name='ecs-optimized')['ImageId']
    return image_id


DELIVERIES = ['cloudfront', 'public-bucket', 'cloudfront-and-public-bucket']


@pytest.mark.parametrize('delivery', DELIVERIES[:2])
@pytest.mark.parametrize('provider', ['yes', 'no'])
def test_it_lets_github_deploy(delivery: str, provider: str) -> None:
    parameters = {'GitHubRepository': 'maker/talelio_backend', 'CreateGitHubProvider': provider}
    with new_account() as account:
        outputs = create(account, ImageDelivery=delivery, **parameters)
        iam: Any = account.client('iam')
        providers = iam.list_open_id_connect_providers()['OpenIDConnectProviderList']
        role = iam.get_role(RoleName=f'talelio-deploy-{REGION}')['Role']
    assert outputs['PublicAddress']
    assert outputs['DeployRoleArn'] == role['Arn']
    assert bool(providers) is (provider == 'yes')
    assert_trusts(role, 'repo:maker/talelio_backend:ref:refs/heads/main')


def assert_trusts(role: dict[str, Any], subject: str) -> None:
    statement, = role['AssumeRolePolicyDocument']['Statement']
    assert statement['Principal']['Federated'] == (
        f'arn:aws:iam::{ACCOUNT_ID}:oidc-provider/token.actions.githubusercontent.com'
    )
    assert statement['Condition'] == {
        'StringEquals': {
            'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
            'token.actions.githubusercontent.com:sub': subject,
        }
    }


@pytest.mark.parametrize('subject', ['ref:refs/heads/main', 'environment:production'])
def test_it_trusts_a_repository_whose_tokens_hold_its_ids(account: boto3.Session, subject: str) -> None:
    # As octocat/my-repo in GitHub's documentation.
    create(
        account,
        GitHubRepository='octocat/my-repo',
        GitHubOwnerId='123456',
        GitHubRepositoryId='456789',
        GitHubSubject=subject
    )
    iam: Any = account.client('iam')

    role = iam.get_role(RoleName=f'talelio-deploy-{REGION}')['Role']

    assert_trusts(role, f'repo:octocat@123456/my-repo@456789:{subject}')


@pytest.mark.parametrize(('machine', 'image'), [('t3.micro', '/amazon-linux-2023/recommended'),
                                                ('t4g.micro', '/arm64/recommended')])
def test_the_machine_starts_from_an_image_of_its_architecture(machine: str, image: str) -> None:
    launch, = resources('AWS::EC2::LaunchTemplate').values()
    condition, on_arm, otherwise = launch['LaunchTemplateData']['ImageId']['Fn::If']
    selected, wanted = template()['Conditions'][condition]['Fn::Equals']

    assert selected == {'Fn::Select': [0, {'Fn::Split': ['.', {'Ref': 'InstanceType'}]}]}
    assert image in (on_arm if machine.split('.')[0] == wanted else otherwise)
    assert machine in template()['Parameters']['InstanceType']['AllowedValues']
    assert template()['Parameters']['InstanceType']['Default'] == 't3.micro'


def test_alarms_go_to_the_address_that_is_given() -> None:
    with new_account() as account:
        create(account, AlarmEmail='you@example.com', GitHubRepository='maker/talelio_backend')
        sns: Any = account.client('sns')
        cloudwatch: Any = account.client('cloudwatch')
        rules: Any = account.client('events')
        subscription, = sns.list_subscriptions()['Subscriptions']
        alarms = cloudwatch.describe_alarms()['MetricAlarms']
        targets = [
            target['Arn'] for rule in rules.list_rules()['Rules']
            for target in rules.list_targets_by_rule(Rule=rule['Name'])['Targets']
        ]
    topic = subscription['TopicArn']
    assert (subscription['Protocol'], subscription['Endpoint']) == ('email', 'you@example.com')
    assert {alarm['MetricName']
            for alarm in alarms} == {
                'StatusCheckFailed', 'CPUCreditBalance', 'DiskUsed', 'CPUUtilization', 'Backups',
                'FailedArchivings'
            }
    for alarm in alarms:
        assert alarm['AlarmActions'] == alarm['OKActions'] == [topic]
        assert alarm['AlarmDescription'].count('.') >= 1
    assert targets == [topic] * 3


@dataclass(frozen=True, kw_only=True)
class Stack:
    account: boto3.Session
    delivery: str
    outputs: dict[str, str]


@pytest.fixture(name='stack', scope='module', params=DELIVERIES)
def _stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Without GitHub's role. No test changes it."""
    with new_account() as account:
        yield Stack(
            account=account, delivery=request.param, outputs=create(account, ImageDelivery=request.param)
        )


def test_it_is_created(stack: Stack) -> None:
    assert stack.outputs['PublicAddress']
    iam: Any = stack.account.client('iam')
    assert 'DeployRoleArn' not in stack.outputs
    cloudwatch: Any = stack.account.client('cloudwatch')
    assert not cloudwatch.describe_alarms()['MetricAlarms']
    assert not iam.list_open_id_connect_providers()['OpenIDConnectProviderList']


def test_who_may_read_the_bucket(stack: Stack) -> None:
    bucket = stack.outputs['ImageBucketName']
    public, cloudfront = 'public-bucket' in stack.delivery, 'cloudfront' in stack.delivery
    s3: Any = stack.account.client('s3')
    blocked = s3.get_public_access_block(Bucket=bucket)['PublicAccessBlockConfiguration']
    assert blocked == {
        'BlockPublicAcls': True,
        'IgnorePublicAcls': True,
        'BlockPublicPolicy': not public,
        'RestrictPublicBuckets': not public,
    }
    by_tls, *readings = json.loads(s3.get_bucket_policy(Bucket=bucket)['Policy'])['Statement']
    assert (by_tls['Effect'], by_tls['Condition']) == ('Deny', {'Bool': {'aws:SecureTransport': 'false'}})
    assert len(by_tls['Resource']) == 2
    assert {(reading['Action'], reading['Resource'])
            for reading in readings} == {('s3:GetObject', f'arn:aws:s3:::{bucket}/*')}
    by_principal = {str(reading['Principal']): reading for reading in readings}
    assert ('*' in by_principal) is public
    by_cloudfront = by_principal.get("{'Service': 'cloudfront.amazonaws.com'}")
    assert (by_cloudfront is not None) is cloudfront
    if by_cloudfront:
        assert f'arn:aws:cloudfront::{ACCOUNT_ID}:distribution/' in by_cloudfront['Condition'][
            'StringEquals']['AWS:SourceArn']


def test_the_stack_tells_the_api_what_it_made(stack: Stack) -> None:
    outputs = stack.outputs
    ssm: Any = stack.account.client('ssm')
    found = ssm.get_parameters_by_path(Path='/talelio/')['Parameters']
    settings = {parameter['Name'].rpartition('/')[2]: parameter['Value'] for parameter in found}
    assert settings['S3_BUCKET'] == outputs['ImageBucketName']
    assert settings['S3_BASE_URL'].startswith('https://')
    assert outputs['ImageBucketName'] in settings['S3_BASE_URL'] or 'cloudfront' in stack.delivery
    assert settings['CORS_ORIGINS'] == PARAMETERS['CorsOrigins']
    s3: Any = stack.account.client('s3')
    rule, = s3.get_bucket_cors(Bucket=settings['S3_BUCKET'])['CORSRules']
    assert rule['AllowedOrigins'] == PARAMETERS['CorsOrigins'].split(',')
    assert rule['AllowedMethods'] == ['GET', 'HEAD']


def test_the_machine_is_one_and_is_reached_by_web_only(stack: Stack) -> None:
    ec2: Any = stack.account.client('ec2')
    group, = ec2.describe_security_groups(Filters=[{
        'Name': 'tag:Name',
        'Values': ['talelio']
    }])['SecurityGroups']
    assert {(rule['FromPort'], rule['ToPort']) for rule in group['IpPermissions']} == {(80, 80), (443, 443)}
    scaling: Any = stack.account.client('autoscaling')
    machines, = scaling.describe_auto_scaling_groups()['AutoScalingGroups']
    assert (machines['MinSize'], machines['MaxSize'], len(machines['Instances'])) == (1, 1, 1)


def test_the_api_may_do_what_its_store_does_and_nothing_else(stack: Stack) -> None:
    iam: Any = stack.account.client('iam')
    role = f'talelio-backend-{REGION}'
    assert not iam.list_attached_role_policies(RoleName=role)['AttachedPolicies']
    name, = iam.list_role_policies(RoleName=role)['PolicyNames']
    objects, bucket = iam.get_role_policy(RoleName=role, PolicyName=name)['PolicyDocument']['Statement']
    arn = f'arn:aws:s3:::{stack.outputs["ImageBucketName"]}'
    assert objects['Resource'] == f'{arn}/*/images/*'
    assert bucket['Resource'] == arn
    assert 'Condition' not in bucket
    assert {*objects['Action'],
            *_list(bucket['Action'])} == {OF_THE_STORE[call]
                                          for call in _calls_of_the_store()}


def _calls_of_the_store() -> set[str]:
    """The operations of S3 that the store's client is asked for, by name."""
    model = botocore.session.get_session().get_service_model('s3')
    operations = {xform_name(operation) for operation in list(model.operation_names)}
    source = ast.parse(Path(s3_store.__file__).read_text(encoding='utf-8'))
    called = {node.attr for node in ast.walk(source) if isinstance(node, ast.Attribute)}
    named = {
        node.value
        for node in ast.walk(source) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    found = (called | named) & operations
    assert found
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
