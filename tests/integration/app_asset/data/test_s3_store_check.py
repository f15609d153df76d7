from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest

from talelio_backend.app_asset.business.store_checkup import FOLDER
from talelio_backend.app_asset.data import s3_store_check
from talelio_backend.app_asset.data.s3_store_check import S3StoreCheck
from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.app_asset.data.stores.s3_store import Limits, S3ImageStore
from talelio_backend.shared.business.checkup import Finding, Status
from tests.support.s3_servers import (
    ACCESS_KEY_ID,
    AWS_ENVIRON,
    PATIENT,
    SECRET_ACCESS_KEY,
    MotoServer,
    RcloneServer,
)
from tests.support.scripted_s3 import CLOSE, DRIP, SILENCE, Answer, ScriptedS3, Seen, refusal
from tests.support.sockets import closed_port, silent_port

BUCKET = 'planted-bucket'
# For servers that at some moment never do.
IMPATIENT = replace(PATIENT, read_timeout=0.3, deadline=0.5)
ALL_RIGHTS = ('PutObject', 'GetObject', 'ListBucket', 'DeleteObject')


def check(url: str,
          *,
          bucket: str = BUCKET,
          base_url: str | None = None,
          limits: Limits = PATIENT) -> dict[str, Finding]:
    store = S3ImageStore(S3Bucket(name=bucket, endpoint_url=url, base_url=base_url), limits=limits)
    findings = list(store.check())
    for secret in (ACCESS_KEY_ID, SECRET_ACCESS_KEY, 'Signature='):
        assert secret not in repr(findings)
    return {finding.name: finding for finding in findings}


def kind_of(seen: Seen) -> str:
    if seen.method == 'GET':
        return 'GetObject' if seen.key else 'ListBucket'
    return {'PUT': 'PutObject', 'DELETE': 'DeleteObject'}[seen.method]


def answers(seen: Seen, *refused: str) -> Answer:
    """Of a bucket with the service's rights but these. It does not keep what it is given."""
    kind = kind_of(seen)
    if kind in refused:
        return refusal(403, 'AccessDenied', message=f'{ACCESS_KEY_ID} may not')
    return Answer(200, b'<ListBucketResult></ListBucketResult>' if kind == 'ListBucket' else b'')


# There and as it should be


def test_a_bucket_that_everybody_can_read_is_ok_and_is_left_empty(moto: MotoServer) -> None:
    bucket = moto.make_bucket()
    moto.client.put_bucket_acl(Bucket=bucket, ACL='public-read')

    findings = check(moto.url, bucket=bucket)

    assert {finding.status for finding in findings.values()} == {Status.OK}, findings
    assert list(findings) == ['image storage readers', 'image storage', 'image storage clock']
    assert not moto.client.list_objects_v2(Bucket=bucket)['KeyCount']


def test_a_bucket_that_only_the_service_can_read_is_a_warning(rclone: RcloneServer) -> None:
    bucket = rclone.make_bucket()

    findings = check(rclone.url, bucket=bucket)

    assert findings['image storage'].status is Status.OK
    readers = findings['image storage readers']
    assert readers.status is Status.WARN
    # To whom has no signature, AWS says 403 and rclone, by its version, 400.
    assert readers.found in {
        f'pictures cannot be read under {rclone.url}/{bucket}/ (status {status})'
        for status in (400, 403)
    }
    assert not list((rclone.buckets / bucket).rglob('*.*'))


def test_pictures_that_cannot_be_read_where_their_urls_say(moto: MotoServer) -> None:
    bucket = moto.make_bucket()
    with closed_port() as port:
        findings = check(moto.url, bucket=bucket, base_url=f'http://127.0.0.1:{port}')

    assert findings['image storage'].status is Status.OK
    assert findings['image storage readers'].status is Status.WARN
    assert 'S3_BASE_URL' in (findings['image storage readers'].mend or '')


def test_the_file_lies_where_no_sweep_looks_and_is_not_always_the_same() -> None:
    seen_keys: list[str] = []

    def note(seen: Seen) -> Answer:
        seen_keys.append(seen.key)
        return answers(seen)

    with ScriptedS3(note) as server:
        check(server.url)
        check(server.url)

    files = {key for key in seen_keys if key}
    assert len(files) == 2
    assert {key.partition('/')[0] for key in files} == {FOLDER}


# Rights


@pytest.mark.parametrize('operation', ALL_RIGHTS)
def test_a_right_that_is_missing_is_named(operation: str) -> None:
    with ScriptedS3(lambda seen: answers(seen, operation)) as server:
        finding = check(server.url)['image storage']

    assert finding.status is Status.FAIL
    named = finding.found + (finding.mend or '')
    assert [right for right in ALL_RIGHTS if right in named] == [operation]


def test_all_rights_that_are_missing_are_named_at_once() -> None:
    with ScriptedS3(lambda seen: answers(seen, *ALL_RIGHTS[1:])) as server:
        finding = check(server.url)['image storage']

    assert finding.found == f'the bucket {BUCKET} refuses s3:GetObject, s3:ListBucket, s3:DeleteObject'
    bucket = f'arn:aws:s3:::{BUCKET}'
    assert f's3:GetObject, s3:DeleteObject on {bucket}/* and s3:ListBucket on {bucket}' in (
        finding.mend or ''
    )
    # It was put, and stays.
    assert f'delete {FOLDER}/' in (finding.mend or '')


def test_what_could_not_be_put_is_not_said_to_be_left_behind() -> None:
    with ScriptedS3(lambda seen: answers(seen, *ALL_RIGHTS)) as server:
        finding = check(server.url)['image storage']

    assert 'by hand' not in (finding.mend or '')


def test_the_file_is_deleted_even_if_it_cannot_be_read() -> None:
    with ScriptedS3(lambda seen: CLOSE if kind_of(seen) == 'GetObject' else answers(seen)) as server:
        finding = check(server.url)['image storage']

        put, = (seen.key for seen in server.seen if seen.method == 'PUT')
        assert [seen.key for seen in server.seen if seen.method == 'DELETE'] == [put]
    assert finding.status is Status.FAIL


@pytest.mark.parametrize(('status', 'code', 'mend'), [
    (404, 'NoSuchBucket', 'S3_BUCKET'),
    (403, 'InvalidAccessKeyId', 'AWS_ACCESS_KEY_ID'),
    (403, 'SignatureDoesNotMatch', 'AWS_ACCESS_KEY_ID'),
    (400, 'ExpiredToken', 'AWS_ACCESS_KEY_ID'),
    (403, 'RequestTimeTooSkewed', 'NTP'),
    (400, 'AuthorizationHeaderMalformed', 'AWS_REGION'),
    (503, 'SlowDown', ''),
])
def test_another_refusal_is_told_with_its_code(status: int, code: str, mend: str) -> None:
    answer = refusal(status, code, message=f'{ACCESS_KEY_ID} is wrong')
    with ScriptedS3(lambda _: answer) as server:
        finding = check(server.url)['image storage']

    assert finding.status is Status.FAIL
    assert finding.found.endswith(f'refused: {code}')
    assert mend in (finding.mend or '')


@pytest.mark.parametrize('name', ['moto', 'rclone'])
def test_a_bucket_that_is_not_there(name: str, request: pytest.FixtureRequest) -> None:
    finding = check(request.getfixturevalue(name).url)['image storage']

    assert finding.status is Status.FAIL
    assert 'NoSuchBucket' in finding.found


def test_a_wrong_secret(rclone: RcloneServer, aws_environ: pytest.MonkeyPatch) -> None:
    aws_environ.setenv('AWS_SECRET_ACCESS_KEY', 'another+planted/secret')

    findings = check(rclone.url, bucket=rclone.make_bucket())

    assert findings['image storage'].status is Status.FAIL
    assert 'another+planted' not in repr(findings)


def test_no_credentials(moto: MotoServer, aws_environ: pytest.MonkeyPatch) -> None:
    for name in AWS_ENVIRON.keys() & {'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'}:
        aws_environ.delenv(name)

    finding = check(moto.url)['image storage']

    assert 'no credentials' in finding.found
    assert 'AWS_ACCESS_KEY_ID' in (finding.mend or '')


# Nobody there, or nobody who makes sense


def test_no_server() -> None:
    with closed_port() as port:
        findings = check(f'http://127.0.0.1:{port}')

    assert list(findings) == ['image storage']
    assert 'does not answer' in findings['image storage'].found


def test_a_server_that_hangs() -> None:
    with silent_port() as port:
        findings = check(f'http://127.0.0.1:{port}', limits=IMPATIENT)

    assert 'does not answer' in findings['image storage'].found


@pytest.mark.parametrize('answer', [SILENCE, DRIP, CLOSE], ids=['silence', 'drip', 'close'])
@pytest.mark.parametrize('moment', ALL_RIGHTS)
def test_a_server_that_fails_at_any_moment(answer: Answer, moment: str) -> None:
    with ScriptedS3(lambda seen: answer if kind_of(seen) == moment else answers(seen)) as server:
        finding = check(server.url, limits=IMPATIENT)['image storage']

    assert finding.status is Status.FAIL
    assert 'does not answer' in finding.found


def test_a_list_that_is_none() -> None:
    answer = Answer(200, b'<html>Sign in to the network</html')
    with ScriptedS3(lambda seen: answer if kind_of(seen) == 'ListBucket' else answers(seen)) as server:
        assert check(server.url)['image storage'].status is Status.FAIL


def test_other_bytes_than_were_put() -> None:
    with ScriptedS3(answers) as server:
        finding = check(server.url)['image storage']

    assert finding.status is Status.FAIL
    assert 'other bytes' in finding.found


# Clocks


class KeepingClient:
    """S3's client, as far as the check uses it, with what it put in memory and a clock of its own."""

    def __init__(self, date: str) -> None:
        self._answer = {'ResponseMetadata': {'HTTPHeaders': {'date': date}}}
        self._content = b''

    def put_object(self, *, Body: bytes, **_: str) -> Any:  # pylint: disable=invalid-name
        self._content = Body
        return self._answer

    def get_object(self, **_: str) -> Any:
        return {**self._answer, 'Body': BytesIO(self._content)}

    def list_objects_v2(self, **_: str) -> Any:
        return self._answer

    def delete_object(self, **_: str) -> Any:
        return self._answer


def findings_at(date: str) -> dict[str, Finding]:
    client: Any = KeepingClient(date)
    with closed_port() as port:
        bucket = S3Bucket(name=BUCKET, base_url=f'http://127.0.0.1:{port}')
        return {
            finding.name: finding
            for finding in S3StoreCheck(bucket, lambda call: call(client)).examine()
        }


@pytest.mark.parametrize(('ahead', 'status'), [(0, Status.OK), (-30, Status.WARN), (1200, Status.FAIL)])
def test_the_clock_is_compared_with_that_of_s3(
    ahead: int, status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    monkeypatch.setattr(s3_store_check, 'time', SimpleNamespace(time=now.timestamp))
    date = format_datetime(now + timedelta(seconds=ahead), usegmt=True)

    findings = findings_at(date)

    assert findings['image storage clock'].status is status
    assert findings['image storage'].status is Status.OK


@pytest.mark.parametrize('date', ['', 'soon', 'Mon, 99 Foo 2026 00:00:00 GMT'])
def test_a_date_that_is_none_is_left_out(date: str) -> None:
    assert 'image storage clock' not in findings_at(date)


def test_the_clock_is_compared_even_when_s3_refuses_because_of_it() -> None:
    with ScriptedS3(lambda _: refusal(403, 'RequestTimeTooSkewed')) as server:
        assert check(server.url)['image storage clock'].status is Status.OK
