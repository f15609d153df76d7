import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256

import pytest

from talelio_backend.app_asset.business.errors import StorageRefused
from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.app_asset.data.stores.s3_store import Limits, S3ImageStore
from talelio_backend.settings import PROJECT_FOLDER
from talelio_backend.shared.business.errors import BusinessError, Unavailable
from talelio_backend.shared.workers.bounded_calls import THREAD_NAME
from tests.support.at_once import at_once
from tests.support.image_files import keys_of, new_files
from tests.support.s3_servers import (
    ACCESS_KEY_ID,
    AWS_ENVIRON,
    PATIENT,
    SECRET_ACCESS_KEY,
    MotoServer,
    RcloneServer,
)
from tests.support.scripted_s3 import CLOSE, DRIP, SILENCE, Answer, ScriptedS3, Seen, error_response
from tests.support.sockets import closed_port, silent_port
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import PATIENCE, wait_until

BUCKET = 'planted-bucket'
FILES = new_files()
KEYS = keys_of(FILES)
DIGEST = sha256(FILES[0].content).hexdigest()
ARN = f'arn:aws:s3:::{BUCKET}/{KEYS[0]}'

# For servers that never respond.
IMPATIENT = replace(PATIENT, read_timeout=0.3)

Call = Callable[[S3ImageStore], object]

CALLS: dict[str, Call] = {
    'save': lambda store: store.save(FILES),
    'exists': lambda store: store.exists(KEYS[0]),
    'delete': lambda store: store.delete(KEYS),
    'list': lambda store: list(store.list()),
}


def store_at(url: str, limits: Limits = PATIENT) -> S3ImageStore:
    return S3ImageStore(S3Bucket(name=BUCKET, endpoint_url=url), limits=limits)


@pytest.fixture(name='log', autouse=True)
def fixture_log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def failure(
    kind: type[BusinessError],
    log: pytest.LogCaptureFixture,
    store: S3ImageStore,
    call: Call = CALLS['save'],
    *,
    secret: str = BUCKET,
) -> str:
    """Make a call that must end and fail with this error; return the message.

    Neither that nor the log may tell anybody where the files are and with which key.
    """
    began = time.monotonic()
    with pytest.raises(kind) as raised:
        call(store)
    assert time.monotonic() - began < PATIENCE
    # The error handler logs causes.
    told = f'{raised.value.message}\n{raised.value.__cause__}\n{log.text}'
    for word in (BUCKET, DIGEST, ACCESS_KEY_ID, SECRET_ACCESS_KEY, 'arn:', '127.0.0.1', 'Signature=', secret):
        assert word not in told
    return raised.value.message


def all_fail(
    kind: type[BusinessError],
    log: pytest.LogCaptureFixture,
    store: S3ImageStore,
    *,
    secret: str = BUCKET
) -> set[str]:
    # Run them concurrently with one store, because most wait and creating a store is slow.
    calls = [partial(failure, kind, log, store, call, secret=secret) for call in CALLS.values()]
    return set(at_once(calls))


# Unreachable and broken servers


def test_no_server(log: pytest.LogCaptureFixture) -> None:
    with closed_port() as port:
        all_fail(Unavailable, log, store_at(f'http://127.0.0.1:{port}'))


def test_a_server_that_hangs(log: pytest.LogCaptureFixture) -> None:
    with silent_port() as port:
        all_fail(Unavailable, log, store_at(f'http://127.0.0.1:{port}', IMPATIENT))
    # The socket timeouts end it, so that no thread remains.
    assert 'ReadTimeoutError' in log.text and 'Overdue' not in log.text


def test_a_server_that_sends_byte_by_byte(log: pytest.LogCaptureFixture) -> None:
    with ScriptedS3(lambda _: DRIP) as server:
        all_fail(Unavailable, log, store_at(server.url, replace(IMPATIENT, save_deadline=0.4, deadline=0.4)))
    assert 'Overdue' in log.text


@pytest.mark.parametrize(
    'response', [
        CLOSE,
        Answer(200, b'<ListBucketResult></ListBucketResult>', cut_at=20),
        Answer(200, b'<html>Sign in to the network</html'),
    ],
    ids=['closes', 'cuts', 'is none']
)
def test_a_malformed_response(response: Answer, log: pytest.LogCaptureFixture) -> None:
    with ScriptedS3(lambda _: response) as server:
        failure(Unavailable, log, store_at(server.url), CALLS['list'])


def test_an_unknown_host(log: pytest.LogCaptureFixture) -> None:
    failure(
        Unavailable,
        log,
        store_at('http://planted.invalid', replace(PATIENT, save_deadline=2)),
        secret='planted'
    )


def test_the_store_works_again_as_soon_as_the_server_does(
    rclone: RcloneServer, log: pytest.LogCaptureFixture
) -> None:
    with TcpProxy.before(rclone.url) as proxy:
        url = f'http://127.0.0.1:{proxy.port}'
        # rclone sometimes responds with 500 if two files are created in a new folder concurrently.
        bucket = S3Bucket(name=rclone.make_bucket(), endpoint_url=url)
        store = S3ImageStore(bucket, limits=replace(PATIENT, attempts=2))
        store.save(FILES)

        proxy.refuse()
        failure(Unavailable, log, store)
        proxy.forward()
        store.save(FILES)

        impatient = S3ImageStore(bucket, limits=IMPATIENT)
        proxy.hang()
        failure(Unavailable, log, impatient, CALLS['exists'])
        proxy.forward()
        wait_until(lambda: has_the_picture(impatient), 'the store works again')


def has_the_picture(store: S3ImageStore) -> bool:
    try:
        return store.exists(KEYS[0])
    except Unavailable:
        return False


def test_broken_idle_connections_are_replaced(rclone: RcloneServer) -> None:
    with TcpProxy.before(rclone.url) as proxy:
        url = f'http://127.0.0.1:{proxy.port}'
        store = S3ImageStore(S3Bucket(name=rclone.make_bucket(), endpoint_url=url))
        store.save(FILES)

        proxy.cut()

        store.save(FILES)
        assert store.exists(KEYS[0])


# Errors of S3


@pytest.mark.parametrize(('status', 'code', 'told'), [
    (400, 'ExpiredToken', 'ExpiredToken (request 4442587FB7D0A2F9)'),
    (403, 'AccessDenied', 'AccessDenied (request 4442587FB7D0A2F9)'),
    (403, 'InvalidAccessKeyId', 'InvalidAccessKeyId (request 4442587FB7D0A2F9)'),
    (403, 'RequestTimeTooSkewed', 'RequestTimeTooSkewed (request 4442587FB7D0A2F9)'),
    (404, 'NoSuchBucket', 'NoSuchBucket (request 4442587FB7D0A2F9)'),
    (403, f'See {ARN}', 'status 403 (request 4442587FB7D0A2F9)'),
    (403, 'A' * 65, 'status 403 (request 4442587FB7D0A2F9)'),
])
def test_a_refusal_reveals_only_its_code_and_request_id(
    status: int, code: str, told: str, log: pytest.LogCaptureFixture
) -> None:
    response = error_response(status, code, message=f'User {ACCESS_KEY_ID} may not put {ARN}')
    with ScriptedS3(lambda _: response) as server:
        message = failure(StorageRefused, log, store_at(server.url))

    assert message == f'The image storage (S3) refused: {told}'
    assert f'PutObject failed: {told}' in log.text


def test_a_refusal_of_any_call(log: pytest.LogCaptureFixture) -> None:
    with ScriptedS3(lambda _: error_response(403, 'AccessDenied', message=ARN)) as server:
        all_fail(StorageRefused, log, store_at(server.url))


def test_a_malformed_request_id_is_not_logged(log: pytest.LogCaptureFixture) -> None:
    response = error_response(403, 'AccessDenied', request_id=f'see {ARN}')
    with ScriptedS3(lambda _: response) as server:
        failure(StorageRefused, log, store_at(server.url))


@pytest.mark.parametrize(('status', 'code'), [
    (400, 'RequestTimeout'),
    (408, 'Whatever'),
    (409, 'OperationAborted'),
    (429, 'Whatever'),
    (500, 'InternalError'),
    (503, 'ServiceUnavailable'),
    (503, 'SlowDown'),
    (400, 'ThrottlingException'),
])
def test_transient_errors_make_the_store_unavailable(
    status: int, code: str, log: pytest.LogCaptureFixture
) -> None:
    with ScriptedS3(lambda _: error_response(status, code, message=ARN)) as server:
        failure(Unavailable, log, store_at(server.url))


def test_a_server_error_fails_any_call(log: pytest.LogCaptureFixture) -> None:
    with ScriptedS3(lambda _: error_response(503, 'SlowDown')) as server:
        all_fail(Unavailable, log, store_at(server.url))


def test_a_single_server_error_is_retried() -> None:
    responses = [error_response(503, 'SlowDown')]
    with ScriptedS3(lambda _: responses.pop() if responses else Answer()) as server:
        store_at(server.url, replace(PATIENT, attempts=2)).save(FILES[:1])

        assert [seen.key for seen in server.seen] == [KEYS[0]] * 2


@pytest.mark.parametrize('name', ['moto', 'rclone'])
def test_a_missing_bucket(name: str, request: pytest.FixtureRequest, log: pytest.LogCaptureFixture) -> None:
    store = store_at(request.getfixturevalue(name).url)

    for call in ('save', 'delete', 'list'):
        message = failure(StorageRefused, log, store, CALLS[call])
        assert message.startswith('The image storage (S3) refused: NoSuchBucket')


def test_a_wrong_secret(
    rclone: RcloneServer, aws_environ: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    aws_environ.setenv('AWS_SECRET_ACCESS_KEY', 'another+planted/secret')

    all_fail(StorageRefused, log, store_at(rclone.url), secret='another+planted')


# Order


def test_the_first_file_is_uploaded_after_all_others() -> None:
    together = threading.Barrier(2, timeout=PATIENCE)
    answered: list[str] = []
    before_first: list[str] = []

    def script(seen: Seen) -> Answer:
        if seen.key == KEYS[0]:
            before_first.extend(answered)
        else:
            # The uploads wait for each other, so they must be concurrent.
            together.wait()
        answered.append(seen.key)
        return Answer()

    with ScriptedS3(script) as server:
        store_at(server.url).save(FILES)

    assert sorted(before_first) == sorted(KEYS[1:])


@pytest.mark.parametrize('response', [error_response(403, 'AccessDenied'), SILENCE])
def test_the_first_file_is_not_uploaded_without_the_others(response: Answer) -> None:
    with ScriptedS3(lambda seen: response if seen.key == KEYS[1] else Answer()) as server:
        with pytest.raises(BusinessError):
            store_at(server.url, IMPATIENT).save(FILES)

        assert KEYS[0] not in [seen.key for seen in server.seen]


def test_the_first_file_is_deleted_before_the_others() -> None:
    with ScriptedS3(lambda _: Answer()) as server:
        store_at(server.url).delete(KEYS)

        assert server.seen[0] == Seen('DELETE', KEYS[0], ended=True)
        assert sorted(seen.key for seen in server.seen) == sorted(KEYS)


def test_the_others_stay_if_the_first_file_cannot_be_deleted() -> None:
    with ScriptedS3(lambda _: error_response(403, 'AccessDenied')) as server:
        with pytest.raises(StorageRefused):
            store_at(server.url).delete(KEYS)

        assert [seen.key for seen in server.seen] == KEYS[:1]


# Time


def calls_under_way() -> int:
    return sum(thread.name == THREAD_NAME for thread in threading.enumerate())


def test_an_upload_may_take_longer_than_another_call() -> None:
    limits = replace(PATIENT, deadline=0.2)

    def answer_late(_: Seen) -> Answer:
        threading.Event().wait(2 * limits.deadline)
        return Answer()

    with ScriptedS3(answer_late) as server:
        store_at(server.url, limits).save(FILES)

        assert sorted(seen.key for seen in server.seen) == sorted(KEYS)


def test_an_overdue_upload_is_aborted(log: pytest.LogCaptureFixture) -> None:
    file, = new_files(b'x' * 24_000_000, widths=())
    # The server would take 24 seconds for the whole upload.
    with ScriptedS3(lambda _: Answer(), slow=0.5) as server:
        store = store_at(server.url, replace(PATIENT, save_deadline=1))
        # The first call creates the client, which may take longer than the deadline of the next.
        store.exists(KEYS[0])
        failure(Unavailable, log, store, lambda store: store.save([file]))

        # On a busy machine, no upload may have started by then.
        for upload in server.seen[1:]:
            wait_until(lambda upload=upload: upload.ended, 'the upload stops')  # type: ignore[misc]
            assert upload.received < len(file.content)
    wait_until(lambda: not calls_under_way(), 'the thread ends')


def test_an_overdue_call_is_not_retried(log: pytest.LogCaptureFixture) -> None:
    given_up = threading.Event()

    def script(seen: Seen) -> Answer:
        if seen.method == 'PUT':
            return Answer()
        given_up.wait(PATIENCE)
        return error_response(503, 'SlowDown')

    limits = replace(PATIENT, attempts=2, deadline=0.3)
    with ScriptedS3(script) as server:
        store = store_at(server.url, limits)
        # The first call creates the client, which may take longer than the deadline of the next.
        store.save(FILES[:1])
        failure(Unavailable, log, store, CALLS['delete'])
        given_up.set()
        wait_until(lambda: not calls_under_way(), 'the thread ends')

        # On a busy machine, not even the first attempt may have started by then.
        assert [seen.method for seen in server.seen] in (['PUT', 'DELETE'], ['PUT'])


def test_a_hanging_call_does_not_keep_the_process_alive() -> None:
    program = '''
import sys
from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.app_asset.data.stores.s3_store import Limits, S3ImageStore
from talelio_backend.shared.business.errors import Unavailable
bucket = S3Bucket(name='bucket', endpoint_url=sys.argv[1])
try:
    S3ImageStore(bucket, limits=Limits(read_timeout=3600, deadline=0.5)).exists('key')
except Unavailable:
    print('given up')
'''
    with silent_port() as port:
        ended = subprocess.run(
            [sys.executable, '-c', program, f'http://127.0.0.1:{port}'],
            cwd=PROJECT_FOLDER,
            env={
                'PATH': os.environ['PATH'],
                **AWS_ENVIRON
            },
            capture_output=True,
            timeout=2 * PATIENCE,
            text=True,
            check=False,
        )
    assert (ended.stdout, ended.returncode) == ('given up\n', 0), ended.stderr


# Credentials


@pytest.fixture(name='no_credentials')
def fixture_no_credentials(aws_environ: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'):
        aws_environ.delenv(name)
    return aws_environ


def test_missing_credentials_are_reported_and_looked_for_again(
    moto: MotoServer, no_credentials: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    store = store_at(moto.url)
    assert all_fail(Unavailable, log, store) == {'The image storage is not set up'}

    # The store looks for credentials again with the next call.
    for name, value in AWS_ENVIRON.items():
        no_credentials.setenv(name, value)
    with pytest.raises(StorageRefused):
        CALLS['save'](store)


def test_incomplete_credentials_are_reported(
    moto: MotoServer, aws_environ: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    aws_environ.delenv('AWS_SECRET_ACCESS_KEY')

    failure(Unavailable, log, store_at(moto.url))


def test_the_role_of_a_task_provides_credentials(
    moto: MotoServer, no_credentials: pytest.MonkeyPatch
) -> None:
    credentials = {
        'AccessKeyId': 'a',
        'SecretAccessKey': 'b',
        'Token': 'c',
        'Expiration': '2099-01-01T00:00:00Z',
    }
    with ScriptedS3(lambda _: Answer(200, json.dumps(credentials).encode())) as service:
        no_credentials.setenv('AWS_CONTAINER_CREDENTIALS_FULL_URI', f'{service.url}/x/credentials')
        store = S3ImageStore(S3Bucket(name=moto.make_bucket(), endpoint_url=moto.url))
        store.save(FILES)

        assert store.exists(KEYS[0])
        assert [seen.key for seen in service.seen] == ['credentials']


def test_slow_credentials_do_not_exceed_the_deadline(
    moto: MotoServer, no_credentials: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    with silent_port() as port:
        no_credentials.delenv('AWS_EC2_METADATA_DISABLED')
        no_credentials.setenv('AWS_EC2_METADATA_SERVICE_ENDPOINT', f'http://127.0.0.1:{port}/')
        failure(Unavailable, log, store_at(moto.url, replace(PATIENT, save_deadline=0.3)))
