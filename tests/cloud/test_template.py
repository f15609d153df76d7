"""The stack can be created whatever its parameters say, and nobody in it may do more than must be."""
import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import xform_name

from talelio_backend.app_asset.data.stores import s3_store
from talelio_backend.settings import PROJECT_FOLDER
from tests.cloud.aws_files import ACCOUNT_ID, AWS_FOLDER, REGION, TEMPLATE_FILE, resources, template

STACK = 'talelio'
PARAMETERS = {
    'AvailabilityZone': f'{REGION}a',
    'CorsOrigins': 'https://www.example.com,http://localhost:3000',
    'WhitelistedEmails': 'maker@example.com',
    'EmailSender': 'My site <noreply@example.com>',
}
GITHUB = {'GitHubRepository': 'maker/talelio_backend'}

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
    text = TEMPLATE_FILE.read_text(encoding='utf-8').replace(
        'resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id',
        _some_image(account)
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
    image_id: str = ec2.describe_images(Owners=['amazon'])['Images'][0]['ImageId']
    return image_id


def test_cfn_lint_has_nothing_to_say() -> None:
    result = subprocess.run(
        [
            sys.executable, '-c', 'from cfnlint.runner import main; main()', '--include-checks', 'I',
            '--regions', REGION, 'us-east-1', '--template',
            str(TEMPLATE_FILE)
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, '', '')


@pytest.mark.parametrize('delivery', ['cloudfront', 'public-bucket'])
@pytest.mark.parametrize('github', [{}, GITHUB, GITHUB | {'CreateGitHubProvider': 'no'}])
def test_it_is_created(account: boto3.Session, delivery: str, github: dict[str, str]) -> None:
    outputs = create(account, ImageDelivery=delivery, **github)
    assert outputs['PublicAddress']
    iam: Any = account.client('iam')
    providers = iam.list_open_id_connect_providers()['OpenIDConnectProviderList']
    assert ('DeployRoleArn' in outputs) is bool(github)
    assert bool(providers) is (github == GITHUB)
    if github:
        role = iam.get_role(RoleName=f'talelio-deploy-{REGION}')['Role']
        statement, = role['AssumeRolePolicyDocument']['Statement']
        assert statement['Principal']['Federated'] == (
            f'arn:aws:iam::{ACCOUNT_ID}:oidc-provider/token.actions.githubusercontent.com'
        )
        assert statement['Condition'] == {
            'StringEquals': {
                'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
                'token.actions.githubusercontent.com:sub': 'repo:maker/talelio_backend:ref:refs/heads/main',
            }
        }


@pytest.mark.parametrize(('delivery', 'public'), [('cloudfront', False), ('public-bucket', True)])
def test_who_may_read_the_bucket(account: boto3.Session, delivery: str, public: bool) -> None:
    bucket = create(account, ImageDelivery=delivery)['ImageBucketName']
    s3: Any = account.client('s3')
    blocked = s3.get_public_access_block(Bucket=bucket)['PublicAccessBlockConfiguration']
    assert blocked == {
        'BlockPublicAcls': True,
        'IgnorePublicAcls': True,
        'BlockPublicPolicy': not public,
        'RestrictPublicBuckets': not public,
    }
    by_tls, read_session = json.loads(s3.get_bucket_policy(Bucket=bucket)['Policy'])['Statement']
    assert (by_tls['Effect'], by_tls['Condition']) == ('Deny', {'Bool': {'aws:SecureTransport': 'false'}})
    assert len(by_tls['Resource']) == 2
    assert (read_session['Action'], read_session['Resource']) == ('s3:GetObject', f'arn:aws:s3:::{bucket}/*')
    if public:
        assert read_session['Principal'] == '*'
    else:
        assert read_session['Principal'] == {'Service': 'cloudfront.amazonaws.com'}
        assert f'arn:aws:cloudfront::{ACCOUNT_ID}:distribution/' in read_session['Condition']['StringEquals'][
            'AWS:SourceArn']


@pytest.mark.parametrize('delivery', ['cloudfront', 'public-bucket'])
def test_the_stack_tells_the_api_what_it_made(account: boto3.Session, delivery: str) -> None:
    outputs = create(account, ImageDelivery=delivery)
    ssm: Any = account.client('ssm')
    found = ssm.get_parameters_by_path(Path='/talelio/')['Parameters']
    settings = {parameter['Name'].rpartition('/')[2]: parameter['Value'] for parameter in found}
    assert settings['S3_BUCKET'] == outputs['ImageBucketName']
    assert settings['S3_BASE_URL'].startswith('https://')
    assert outputs['ImageBucketName'] in settings['S3_BASE_URL'] or delivery == 'cloudfront'
    assert settings['CORS_ORIGINS'] == PARAMETERS['CorsOrigins']
    s3: Any = account.client('s3')
    rule, = s3.get_bucket_cors(Bucket=settings['S3_BUCKET'])['CORSRules']
    assert rule['AllowedOrigins'] == PARAMETERS['CorsOrigins'].split(',')
    assert rule['AllowedMethods'] == ['GET', 'HEAD']


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('GitHubRepository', 'maker'),
        ('GitHubSubject', 'ref:refs/heads/*'),
        ('GitHubSubject', '*'),
        ('CorsOrigins', '*'),
        ('WhitelistedEmails', ''),
    ],
)
def test_careless_parameters_are_refused(name: str, value: str) -> None:
    # moto does not look at patterns; AWS wants them to match the whole value.
    assert not re.fullmatch(template()['Parameters'][name]['AllowedPattern'], value)


def test_the_machine_is_one_and_is_reached_by_web_only(account: boto3.Session) -> None:
    create(account)
    ec2: Any = account.client('ec2')
    group, = ec2.describe_security_groups(Filters=[{
        'Name': 'tag:Name',
        'Values': ['talelio']
    }])['SecurityGroups']
    assert {(rule['FromPort'], rule['ToPort']) for rule in group['IpPermissions']} == {(80, 80), (443, 443)}
    scaling: Any = account.client('autoscaling')
    machines, = scaling.describe_auto_scaling_groups()['AutoScalingGroups']
    assert (machines['MinSize'], machines['MaxSize'], len(machines['Instances'])) == (1, 1, 1)


def test_the_metadata_of_the_machine_is_out_of_the_reach_of_containers() -> None:
    launch, = resources('AWS::EC2::LaunchTemplate').values()
    assert launch['LaunchTemplateData']['MetadataOptions'] == {
        'HttpEndpoint': 'enabled',
        'HttpTokens': 'required',
        'HttpPutResponseHopLimit': 1,
    }


def test_the_script_that_makes_the_machine_is_sound() -> None:
    launch, = resources('AWS::EC2::LaunchTemplate').values()
    script = launch['LaunchTemplateData']['UserData']['Fn::Base64']['Fn::Sub']
    # What CloudFormation puts in.
    script = re.sub(r'\$\{[A-Z][\w.:]*\}', 'something', script)
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
    assert len(script) < 16_384
    shellcheck = [str(Path(sys.executable).parent / 'shellcheck'), '--shell=bash', '-']
    result = subprocess.run(shellcheck, input=script, stdout=subprocess.PIPE, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, '')


def test_what_is_precious_outlives_the_stack() -> None:
    kept = {name: resource.get('DeletionPolicy') for name, resource in template()['Resources'].items()}
    assert kept['DataVolume'] == 'Snapshot'
    assert kept['ImageBucket'] == 'Retain'
    volume, = resources('AWS::EC2::Volume').values()
    policy, = resources('AWS::DLM::LifecyclePolicy').values()
    assert policy['PolicyDetails']['TargetTags'][0] in volume['Tags']
    assert volume['Encrypted'] is True
    # Machine and volume must meet in one zone.
    subnet, = resources('AWS::EC2::Subnet').values()
    assert subnet['AvailabilityZone'] == volume['AvailabilityZone']


def test_images_are_scanned_and_ten_are_kept() -> None:
    for repository in resources('AWS::ECR::Repository').values():
        assert repository['ImageScanningConfiguration'] == {'ScanOnPush': True}
        assert repository['ImageTagMutability'] == 'IMMUTABLE'
        rule, = json.loads(repository['LifecyclePolicy']['LifecyclePolicyText'])['rules']
        assert rule['selection']['countNumber'] == 10


# --- Rights


def _statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, role in resources('AWS::IAM::Role').items():
        for policy in role.get('Policies', ()):
            for statement in policy['PolicyDocument']['Statement']:
                yield name, statement


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_policy_allows_by_wildcard() -> None:
    seen = 0
    known = json.loads(files('cfnlint').joinpath('data/AdditionalSpecs/Policies.json').read_text('utf-8'))
    for role, statement in _statements():
        for action in _list(statement['Action']):
            seen += 1
            assert '*' not in action, (role, action)
            service, _, name = action.partition(':')
            allowed = known[service]['Actions']
            spelled = {key.lower(): key for key in allowed}
            assert name.lower() in spelled, f'{role}: AWS has no {action}'
            narrower = allowed[spelled[name.lower()]].get('Resources')
            if '*' in _list(statement['Resource']):
                assert not narrower or 'Condition' in statement, f'{role}: {action} has {narrower}'
    assert seen > 30


def test_roles_are_taken_by_those_they_are_for() -> None:
    for name, role in resources('AWS::IAM::Role').items():
        statement, = role['AssumeRolePolicyDocument']['Statement']
        assert statement['Principal'] != '*' and 'AWS' not in statement['Principal'], name


def test_the_api_may_do_what_its_store_does_and_nothing_else(account: boto3.Session) -> None:
    outputs = create(account)
    iam: Any = account.client('iam')
    role = f'talelio-backend-{REGION}'
    assert not iam.list_attached_role_policies(RoleName=role)['AttachedPolicies']
    name, = iam.list_role_policies(RoleName=role)['PolicyNames']
    objects, bucket = iam.get_role_policy(RoleName=role, PolicyName=name)['PolicyDocument']['Statement']
    arn = f'arn:aws:s3:::{outputs["ImageBucketName"]}'
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


def test_passing_roles_on_is_for_tasks_only() -> None:
    passing = [statement for _, statement in _statements() if 'iam:PassRole' in _list(statement['Action'])]
    statement, = passing
    assert statement['Condition'] == {'StringEquals': {'iam:PassedToService': 'ecs-tasks.amazonaws.com'}}
    assert len(statement['Resource']) == 3


def test_who_deploys_may_do_what_deploying_does_and_nothing_else() -> None:
    allowed = {
        action
        for role, statement in _statements() if role == 'DeployRole' for action in _list(statement['Action'])
    }
    # GetCallerIdentity needs no right; images are pushed by Docker, roles are handed on with a definition.
    asked = {f'ecs:{call}'
             for call in _calls(r'_ecs\.(\w+)\(')} | {f'logs:{call}'
                                                      for call in _calls(r'_logs\.(\w+)\(')}
    assert {action for action in allowed if not action.startswith('ecr:')} == asked | {'iam:PassRole'}
    for script in ('pushed-image', 'check-deployed'):
        text = (PROJECT_FOLDER / '.ci' / script).read_text(encoding='utf-8')
        found = re.findall(r'\baws (\w+) ([\w-]+)', text)
        assert found
        assert {f'{service}:{_camel(call)}' for service, call in found} <= allowed, script


def _calls(pattern: str) -> set[str]:
    sources = [file.read_text(encoding='utf-8') for file in AWS_FOLDER.glob('*.py')]
    return {_camel(call) for source in sources for call in re.findall(pattern, source)}


def _camel(call: str) -> str:
    return ''.join(word.capitalize() for word in re.split('[-_]', call))
