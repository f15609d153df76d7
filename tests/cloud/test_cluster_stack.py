"""The stack of several machines, as moto makes it: what the API is told, and who may reach whom."""
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import boto3
import pytest

from talelio_backend.bootstrap.adapters import CONNECTIONS
from talelio_backend.settings import Settings
from tests.cloud.aws_files import AWS_FOLDER, REGION, REGISTRY, resources, template
from tests.cloud.conftest import new_account
from tests.support.served_api import SECRET_KEY

TEMPLATE_FILE = AWS_FOLDER / 'cloudformation-cluster.yml'
PARAMETERS = {
    'Image': f'{REGISTRY}/talelio-backend@sha256:{"0" * 64}',
    'ApiHost': 'api.example.com',
    'CorsOrigins': 'https://www.example.com',
    'WhitelistedEmails': 'maker@example.com',
    'EmailSender': 'My site <noreply@example.com>',
}
# Of talelio_backend/gunicorn_config.py.
GRACEFUL_TIMEOUT = 30
SECRETS = {
    'PGPASSWORD': 'something',
    'SECRET_KEY': SECRET_KEY,
    'SMTP_URL': 'smtps://user:password@mail.example.com',
}


@dataclass(frozen=True, kw_only=True)
class Stack:
    account: boto3.Session
    database: str

    def client(self, service: str) -> Any:
        client: Any = self.account.client(service)  # type: ignore[call-overload]
        return client

    @property
    def task_definition(self) -> dict[str, Any]:
        ecs = self.client('ecs')
        arn, = ecs.list_task_definitions()['taskDefinitionArns']
        definition: dict[str, Any] = ecs.describe_task_definition(taskDefinition=arn)['taskDefinition']
        return definition

    @property
    def container(self) -> dict[str, Any]:
        only: dict[str, Any]
        only, = self.task_definition['containerDefinitions']
        return only

    @property
    def settings(self) -> Settings:
        environ = {each['name']: each['value'] for each in self.container['environment']}
        assert {each['name'] for each in self.container['secrets']} == SECRETS.keys()
        return Settings.from_env(environ | SECRETS)


@pytest.fixture(name='stack', scope='module', params=['aurora', 'rds'])
def _stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    with new_account() as account:
        acm: Any = account.client('acm')
        parameters = PARAMETERS | {
            'CertificateArn': acm.request_certificate(DomainName='api.example.com')['CertificateArn'],
            'Database': request.param,
        }
        cloudformation: Any = account.client('cloudformation')
        cloudformation.create_stack(
            StackName='talelio-cluster',
            TemplateBody=TEMPLATE_FILE.read_text(encoding='utf-8'),
            Capabilities=['CAPABILITY_IAM'],
            Parameters=[{
                'ParameterKey': name,
                'ParameterValue': value
            } for name, value in parameters.items()],
        )
        made, = cloudformation.describe_stacks(StackName='talelio-cluster')['Stacks']
        assert made['StackStatus'] == 'CREATE_COMPLETE'
        yield Stack(account=account, database=request.param)


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


def test_the_api_starts_with_what_it_is_told(stack: Stack) -> None:
    settings = stack.settings

    assert settings.database_url is not None
    host, _, rest = settings.database_url.removeprefix('postgresql+psycopg2://talelio@').partition(':')
    assert rest == '5432/talelio?sslmode=require'
    assert ('aurora' in host) == (stack.database == 'aurora')
    assert stack.container['image'] == PARAMETERS['Image']
    # Its arguments are one script.
    *shell, script = stack.container['command']
    assert shell == ['sh', '-c']
    assert subprocess.run(['sh', '-n', '-c', script], check=False).returncode == 0


def test_the_balancer_alone_is_believed(stack: Stack) -> None:
    balancer, = stack.client('elbv2').describe_load_balancers()['LoadBalancers']
    ids = [zone['SubnetId'] for zone in balancer['AvailabilityZones']]
    subnets = stack.client('ec2').describe_subnets(SubnetIds=ids)['Subnets']

    assert set(stack.settings.trusted_proxies) == {ip_network(subnet['CidrBlock']) for subnet in subnets}
    assert len({subnet['AvailabilityZone'] for subnet in subnets}) == 2
    assert stack.settings.proxy_hops == 1


# What moto leaves out.


def test_the_balancer_closes_idle_connections_first_and_lets_requests_end(stack: Stack) -> None:
    balancer, = resources('AWS::ElasticLoadBalancingV2::LoadBalancer', TEMPLATE_FILE).values()
    group, = resources('AWS::ElasticLoadBalancingV2::TargetGroup', TEMPLATE_FILE).values()
    attributes = {each['Key']: each['Value'] for each in balancer['LoadBalancerAttributes']}

    assert stack.settings.keep_alive > int(attributes['idle_timeout.timeout_seconds'])
    assert stack.settings.drain_seconds + GRACEFUL_TIMEOUT <= stack.container['stopTimeout']
    assert group['TargetGroupAttributes'] == [{'Key': 'deregistration_delay.timeout_seconds', 'Value': '60'}]


def test_a_task_that_loses_the_database_is_not_replaced(stack: Stack) -> None:
    group, = resources('AWS::ElasticLoadBalancingV2::TargetGroup', TEMPLATE_FILE).values()

    assert group['HealthCheckPath'] == '/health/live'
    # Ready once, and live from then on.
    assert stack.container['healthCheck']['command'] == ['CMD', 'python', '-m', 'talelio_backend.healthcheck']


def test_a_deployment_starts_new_tasks_before_it_stops_old_ones() -> None:
    service, = resources('AWS::ECS::Service', TEMPLATE_FILE).values()

    assert service['DeploymentConfiguration'] == {
        'MinimumHealthyPercent': 100,
        'MaximumPercent': 200,
        'DeploymentCircuitBreaker': {'Enable': True, 'Rollback': True},
    }  # yapf: disable


def test_each_part_is_open_to_the_one_before_it_only(stack: Stack) -> None:
    groups = stack.client('ec2').describe_security_groups()['SecurityGroups']
    named = {group['Description']: group for group in groups}
    balancer, api, database = (
        named[each] for each in
        ('HTTP and HTTPS from everywhere', 'The API from the balancer', 'PostgreSQL from the tasks')
    )

    for group, port, source in ((api, 5000, balancer), (database, 5432, api)):
        rule, = group['IpPermissions']
        assert (rule['FromPort'], rule['ToPort'], rule['IpRanges']) == (port, port, [])
        assert [each['GroupId'] for each in rule['UserIdGroupPairs']] == [source['GroupId']]


def test_the_database_has_connections_for_all_tasks_during_a_deployment() -> None:
    # Of a db.t4g.medium. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
    memory, share_of_the_system = 4 * 1024**3, 0.15
    max_connections = memory * (1 - share_of_the_system) // 9_531_392
    parameters = template(TEMPLATE_FILE)['Parameters']
    most_tasks = parameters['MaxTasks']['Default']

    assert parameters['DatabaseClass']['Default'] == 'db.t4g.medium'
    assert CONNECTIONS * most_tasks * 2 + 5 <= max_connections
