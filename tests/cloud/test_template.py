"""What the template says: nobody may do more than must be, and what is precious is kept."""
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from talelio_backend.settings import PROJECT_FOLDER
from tests.cloud.aws_files import AWS_FOLDER, REGION, TEMPLATE_FILE, resources, substituted, template


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


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('GitHubRepository', 'maker'),
        ('GitHubOwnerId', 'maker'),
        ('GitHubRepositoryId', '*'),
        ('GitHubSubject', 'ref:refs/heads/*'),
        ('GitHubSubject', '*'),
        ('CorsOrigins', '*'),
        ('WhitelistedEmails', ''),
    ],
)
def test_careless_parameters_are_refused(name: str, value: str) -> None:
    # moto does not look at patterns; AWS wants them to match the whole value.
    assert not re.fullmatch(template()['Parameters'][name]['AllowedPattern'], value)


def test_the_metadata_of_the_machine_is_out_of_the_reach_of_containers() -> None:
    launch, = resources('AWS::EC2::LaunchTemplate').values()
    assert launch['LaunchTemplateData']['MetadataOptions'] == {
        'HttpEndpoint': 'enabled',
        'HttpTokens': 'required',
        'HttpPutResponseHopLimit': 1,
    }


def user_data() -> str:
    launch, = resources('AWS::EC2::LaunchTemplate').values()
    script: str = launch['LaunchTemplateData']['UserData']['Fn::Base64']['Fn::Sub']
    # What CloudFormation puts in.
    return re.sub(r'\$\{[A-Z][\w.:]*\}', 'something', script)


# Notes how it is called, and fails where it is told to.
STAND_IN = """\
#!/bin/sh
echo "${0##*/} $*" >>"$CALLS"
case "${0##*/} $*" in
  # The disk is empty.
  blkid*) exit 2 ;;
  *"$FAILING_1"* | *"$FAILING_2"*) exit 1 ;;
esac
echo i-0123456789abcdef0
"""
SIGNAL, ATTACH, FORMAT = 'cloudformation signal-resource', 'ec2 attach-volume', 'mkfs.xfs'
HEALTH = 'autoscaling set-instance-health'


@pytest.mark.parametrize(
    ('failing', 'calls'),
    [
        # The stack waits for this machine: CloudFormation decides, and the machine can be looked at.
        ((ATTACH, ATTACH), [ATTACH, SIGNAL]),
        # Nothing waits for a replacement: the group replaces it.
        ((ATTACH, SIGNAL), [ATTACH, SIGNAL, HEALTH]),
        ((FORMAT, SIGNAL), [ATTACH, 'blkid', FORMAT, SIGNAL, HEALTH]),
        # Not even that can be said.
        (('aws ', 'aws '), [ATTACH, SIGNAL, HEALTH, 'poweroff']),
    ],
    ids=['created', 'replaced', 'replaced, in a function', 'cut off']
)
def test_a_machine_that_cannot_be_made_says_so(
    tmp_path: Path, failing: tuple[str, str], calls: list[str]
) -> None:
    for name in ('aws', 'blkid', 'curl', 'mkfs.xfs', 'poweroff', 'sleep', 'tr'):
        (tmp_path / name).write_text(STAND_IN, encoding='utf-8')
        (tmp_path / name).chmod(0o755)
    # No patience, and a file for the disk.
    (tmp_path / 'disk').touch()
    script = re.sub(r'\btry \d+', 'try 0', user_data()).replace('-b $path', '-e $path')
    script = script.replace('/dev/xvdf', str(tmp_path / 'disk'))

    result = subprocess.run(
        [shutil.which('bash') or '', '-c', script],
        env={
            # With none of this machine's programs.
            'PATH': str(tmp_path),
            'CALLS': str(tmp_path / 'calls'),
            'FAILING_1': failing[0],
            'FAILING_2': failing[1]
        },
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert result.returncode != 0
    called = (tmp_path / 'calls').read_text(encoding='utf-8').splitlines()
    made = [call for call in called if not call.startswith(('curl', 'tr '))]
    assert [
        call.removeprefix('aws ')[:len(expected)] for call, expected in zip(made, calls, strict=True)
    ] == calls
    for call in made:
        if SIGNAL in call:
            assert call.endswith('--unique-id i-0123456789abcdef0 --status FAILURE')
        if HEALTH in call:
            assert '--instance-id i-0123456789abcdef0 --health-status Unhealthy' in call


def test_the_script_that_makes_the_machine_is_sound() -> None:
    script = user_data()
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
    assert len(script) < 16_384
    shellcheck = [str(Path(sys.executable).parent / 'shellcheck'), '--shell=bash', '-']
    result = subprocess.run(shellcheck, input=script, stdout=subprocess.PIPE, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, '')


def test_the_machine_reports_its_disks_as_the_alarms_look_for_them(tmp_path: Path) -> None:
    launch, = resources('AWS::EC2::LaunchTemplate').values()
    text = substituted(launch['LaunchTemplateData']['UserData']['Fn::Base64'])
    script = text.partition("report-disks <<'EOF'\n")[2].partition('\nEOF\n')[0]
    (tmp_path / 'aws').write_text('#!/bin/sh\necho "$@"\n', encoding='ascii')
    (tmp_path / 'aws').chmod(0o755)
    # This machine has no such folder.
    here = script.replace('/ /data;', f'/ {tmp_path};')
    assert here != script

    told = subprocess.run(['bash', '-c', here],
                          env={
                              'PATH': f'{tmp_path}:{os.environ["PATH"]}'
                          },
                          capture_output=True,
                          text=True,
                          check=True).stdout.splitlines()

    for line, folder in zip(told, ('/', tmp_path), strict=True):
        assert re.fullmatch(
            f'cloudwatch put-metric-data --region {REGION} --namespace talelio --metric-name DiskUsed '
            rf'--unit Percent --dimensions Folder={folder} --value \d+', line
        )
    alarms = [
        alarm for alarm in resources('AWS::CloudWatch::Alarm').values() if alarm['MetricName'] == 'DiskUsed'
    ]
    assert [alarm['Namespace'] for alarm in alarms] == ['talelio'] * 2
    folders = [dimension['Value'] for alarm in alarms for dimension in alarm['Dimensions']]
    assert sorted(folders) == ['/', '/data']
    condition, = (
        statement['Condition'] for _, statement in _statements()
        if 'cloudwatch:PutMetricData' in _list(statement['Action'])
    )
    assert condition == {'StringEquals': {'cloudwatch:namespace': 'talelio'}}


def test_alarms_of_backups_look_for_words_that_are_logged() -> None:
    # A test of the box's recovery sees them.
    words = {each['FilterPattern'] for each in resources('AWS::Logs::MetricFilter').values()}
    assert words == {'"backup command end: completed successfully"', '"archive command failed"'}
    counted = {
        each['MetricTransformations'][0]['MetricName']
        for each in resources('AWS::Logs::MetricFilter').values()
    }
    assert counted <= {alarm['MetricName'] for alarm in resources('AWS::CloudWatch::Alarm').values()}


def test_what_is_precious_outlives_the_stack() -> None:
    kept = {name: resource.get('DeletionPolicy') for name, resource in template()['Resources'].items()}
    assert kept['DataVolume'] == 'Snapshot'
    # `Retain` would keep what a failed creation made, and the next one could not make it again.
    assert kept['ImageBucket'] == kept['GitHubProvider'] == 'RetainExceptOnCreate'
    volume, = resources('AWS::EC2::Volume').values()
    policy, = resources('AWS::DLM::LifecyclePolicy').values()
    assert policy['PolicyDetails']['TargetTags'][0] in volume['Tags']
    assert volume['Encrypted'] is True
    # Machine and volume must meet in one zone.
    subnet, = resources('AWS::EC2::Subnet').values()
    assert subnet['AvailabilityZone'] == volume['AvailabilityZone']


def test_the_key_of_the_backups_cannot_destroy_them() -> None:
    bucket = resources('AWS::S3::Bucket')['BackupBucket']
    assert bucket['VersioningConfiguration'] == {'Status': 'Enabled'}
    assert all(bucket['PublicAccessBlockConfiguration'].values())
    old, = bucket['LifecycleConfiguration']['Rules']
    assert old['NoncurrentVersionExpiration']['NoncurrentDays'] == 14
    user, = resources('AWS::IAM::User').values()
    actions = {
        action
        for statement in user['Policies'][0]['PolicyDocument']['Statement']
        for action in _list(statement['Action'])
    }
    # Neither s3:DeleteObjectVersion nor the bucket's settings.
    assert actions == {'s3:ListBucket', 's3:GetObject', 's3:PutObject', 's3:DeleteObject'}


def test_images_are_scanned_and_ten_are_kept() -> None:
    for repository in resources('AWS::ECR::Repository').values():
        assert repository['ImageScanningConfiguration'] == {'ScanOnPush': True}
        assert repository['ImageTagMutability'] == 'IMMUTABLE'
        rule, = json.loads(repository['LifecyclePolicy']['LifecyclePolicyText'])['rules']
        # An index, and for each of two architectures an image with its provenance.
        assert rule['selection']['countNumber'] == 10 * (1 + 2 * 2)


# --- Rights


def _statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, role in (resources('AWS::IAM::Role') | resources('AWS::IAM::User')).items():
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
    asked = {f'ecs:{call}' for call in _calls(r'_ecs\.(\w+)\(')}
    asked |= {f'logs:{call}' for call in _calls(r'_logs\.(\w+)\(')}
    asked |= {f'ssm:{call}' for call in _calls(r"_ssm\.get_paginator\('(\w+)'")}
    assert {action for action in allowed if not action.startswith('ecr:')} == asked | {'iam:PassRole'}
    for script in ('pushed-image', 'check-deployed', 'serving-definition', 'roll-back'):
        text = (PROJECT_FOLDER / '.ci' / script).read_text(encoding='utf-8')
        # It waits by describing them.
        text = text.replace('wait services-stable', 'describe-services')
        found = re.findall(r'\baws (\w+) ([\w-]+)', text)
        assert found
        assert {f'{service}:{_camel(call)}' for service, call in found} <= allowed, script


def _calls(pattern: str) -> set[str]:
    sources = [file.read_text(encoding='utf-8') for file in AWS_FOLDER.glob('*.py')]
    return {_camel(call) for source in sources for call in re.findall(pattern, source)}


def _camel(call: str) -> str:
    return ''.join(word.capitalize() for word in re.split('[-_]', call))
