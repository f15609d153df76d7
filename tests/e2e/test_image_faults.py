"""Pictures while parts fail: S3 away, silent, refusing; a full disk, a killed server, racing requests."""
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest
from psycopg2.extensions import connection

from talelio_backend.app_asset.business.image import parse_key
from tests.e2e.conftest import Serve
from tests.support.answers import error_of, ok
from tests.support.database import connect, copy_of, execute
from tests.support.disks import small_disk
from tests.support.locks import wait_for_waiting
from tests.support.members import WHITELIST, Member, join
from tests.support.s3_servers import ACCESS_KEY_ID, AWS_ENVIRON, SECRET_ACCESS_KEY, MotoServer, RcloneServer
from tests.support.served_api import PATIENT_CONFIG, ServedApi
from tests.support.tcp_proxy import TcpProxy
from tests.support.uploads import (
    AVATAR,
    IMAGES,
    list_images,
    new_picture,
    noise,
    path_of,
    send,
    stored_files,
    sweep,
    upload,
)


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """A server that keeps its pictures on an S3 that can be taken away."""

    api: ServedApi
    s3: MotoServer
    bucket: str
    proxy: TcpProxy

    def keys(self, member: Member) -> set[str]:
        prefix = f'{member.account["user"]["id"]}/'
        listed = self.s3.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return {item['Key'] for item in listed.get('Contents', [])}


@pytest.fixture(name='cloud', scope='module')
def _cloud(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp('cloud')
    with copy_of(postgres_url) as url, MotoServer(folder) as s3, TcpProxy.before(s3.url) as proxy:
        bucket = s3.make_bucket()
        environ = {
            **AWS_ENVIRON,
            'WHITELISTED_EMAILS': ','.join(WHITELIST),
            'S3_BUCKET': bucket,
            'AWS_ENDPOINT_URL_S3': f'http://127.0.0.1:{proxy.port}',
            'AWS_REGION': 'us-east-1',
        }
        with ServedApi(tmp_path_factory.mktemp('cloud-api'), url, environ) as api:
            yield Cloud(api=api, s3=s3, bucket=bucket, proxy=proxy)


def fail(cloud: Cloud, how: str) -> None:
    if how == 'refuse':
        cloud.proxy.refuse()
    else:
        cloud.proxy.hang()


@pytest.mark.parametrize('how', ['refuse', 'hang'])
def test_an_upload_without_s3_fails_before_it_is_back_and_leaves_nothing(cloud: Cloud, how: str) -> None:
    owner = join(cloud.api)
    fail(cloud, how)
    try:
        response = send(cloud.api, owner, new_picture((700, 350)))
    finally:
        cloud.proxy.forward()

    message = error_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
    assert message == 'The image storage does not answer just now, please try again'
    assert int(response.headers['Retry-After']) > 0
    assert list_images(cloud.api, owner) == []
    upload(cloud.api, owner, new_picture())


def test_a_deletion_without_s3_can_be_made_again(cloud: Cloud) -> None:
    owner = join(cloud.api)
    image, = upload(cloud.api, owner, new_picture((700, 350)))
    path = f'{IMAGES}/{image["id"]}'
    cloud.proxy.refuse()
    try:
        error_of(cloud.api.request('DELETE', path, headers=owner.bearer), HTTPStatus.SERVICE_UNAVAILABLE)
    finally:
        cloud.proxy.forward()
    assert list_images(cloud.api, owner) == []
    assert cloud.keys(owner)

    assert cloud.api.request('DELETE', path, headers=owner.bearer).status_code == HTTPStatus.NO_CONTENT

    assert cloud.keys(owner) == set()


def test_an_avatar_without_s3_stays_as_it_is(cloud: Cloud) -> None:
    owner = join(cloud.api)
    before = ok(send(cloud.api, owner, new_picture(), path=AVATAR, method='PUT'))
    cloud.proxy.refuse()
    try:
        response = send(cloud.api, owner, new_picture(), path=AVATAR, method='PUT')
    finally:
        cloud.proxy.forward()

    error_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
    assert ok(cloud.api.get('/v1/users/me', headers=owner.bearer)) == before
    assert len(cloud.keys(owner)) == 1


def test_what_s3_refuses_is_a_400_that_leaks_nothing(
    serve: Serve, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """rclone checks signatures, and the key is another one."""
    with RcloneServer(tmp_path_factory.mktemp('rclone')) as s3:
        bucket = s3.make_bucket()
        api = serve(
            database_url, {
                **AWS_ENVIRON,
                'AWS_SECRET_ACCESS_KEY': 'another secret',
                'S3_BUCKET': bucket,
                'AWS_ENDPOINT_URL_S3': s3.url,
                'AWS_REGION': 'us-east-1',
            }
        )
        owner = join(api)

        response = send(api, owner, new_picture())

    message = error_of(response, HTTPStatus.BAD_REQUEST)
    assert message.startswith('The image storage (S3) refused: SignatureDoesNotMatch')
    assert response.headers['X-Request-ID']
    for secret in bucket, s3.url, ACCESS_KEY_ID, SECRET_ACCESS_KEY, 'another secret':
        assert secret not in response.text
        assert secret not in api.log()


def test_a_claim_that_cannot_be_made_is_taken_back_or_swept(cloud: Cloud) -> None:
    """The owner's lock is held by somebody else, so neither the claim nor the taking back goes through."""
    owner = join(cloud.api)
    user_id = owner.account['user']['id']
    with closing(connect(cloud.api.environ['DATABASE_URL'], autocommit=False)) as other:
        hold_lock(other, user_id)
        response = send(cloud.api, owner, new_picture())

    error_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
    assert list_images(cloud.api, owner) == []
    assert len(cloud.keys(owner)) == 2
    assert 'flask assets sweep' in cloud.api.log()
    sweep(cloud.api)
    assert cloud.keys(owner) == set()


def hold_lock(database: connection, user_id: int) -> None:
    execute(database, 'SELECT pg_advisory_xact_lock(%s, %s)', 0x696D6773, user_id)


def test_after_a_kill_in_the_midst_of_an_upload_the_sweep_finds_the_rest(
    serve: Serve, database_url: str
) -> None:
    api = serve(database_url, config=PATIENT_CONFIG)
    owner = join(api)
    images = Path(api.environ['IMAGE_FOLDER'])
    with closing(connect(database_url, autocommit=False)) as other, ThreadPoolExecutor(1) as pool:
        # It waits for the lock with its files already stored.
        hold_lock(other, owner.account['user']['id'])
        sending = pool.submit(send, api, owner, new_picture())
        wait_for_waiting(database_url)
        api.kill()
        assert sending.exception()

    api.start()
    assert list_images(api, owner) == []
    assert stored_files(images)
    sweep(api)
    assert stored_files(images) == set()


def test_a_full_disk_is_a_503_and_leaves_nothing(serve: Serve, database_url: str, tmp_path: Path) -> None:
    with small_disk(tmp_path / 'disk', '300k') as disk:
        api = serve(database_url, {'IMAGE_FOLDER': str(disk)})
        owner = join(api)
        kept, = upload(api, owner, new_picture((40, 30)))
        before = stored_files(disk)

        response = send(api, owner, noise())

        message = error_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
        assert message == 'There is no room for images just now'
        assert stored_files(disk) == before
        assert list_images(api, owner) == [kept]
        assert api.get(path_of(kept['url'])).status_code == HTTPStatus.OK
        upload(api, owner, new_picture((40, 30)))
        api.kill()


def test_no_room_for_the_upload_itself_is_a_503(serve: Serve, database_url: str, tmp_path: Path) -> None:
    with small_disk(tmp_path / 'disk', '300k') as disk:
        api = serve(database_url, {'TMPDIR': str(disk)})
        owner = join(api)

        response = send(api, owner, noise())

        assert 'no room' in error_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
        upload(api, owner, new_picture((40, 30)))
        api.kill()


def test_racing_requests_leave_store_and_list_in_agreement(api: ServedApi, member: Member) -> None:
    """The same picture is sent, sent in a request that fails, and deleted, all at once, again and again."""
    picture = new_picture((700, 350))
    images = Path(api.environ['IMAGE_FOLDER'])

    def sends() -> None:
        response = send(api, member, picture)
        if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            return
        image = ok(response)['images'][0]
        api.request('DELETE', f'{IMAGES}/{image["id"]}', headers=member.bearer)

    def fails() -> None:
        response = send(api, member, picture, b'no picture')
        assert response.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE)

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(task) for _ in range(15) for task in (sends, fails)]:
            done.result()

    listed = {path_of(image['url']).removeprefix('/v1/assets/files/') for image in list_images(api, member)}
    user_id = member.account['user']['id']
    there = {key for key in stored_files(images) if (parsed := parse_key(key)) and parsed[0] == user_id}
    assert {key for key in there if '-' not in key} == listed
    again, = upload(api, member, picture)
    assert api.get(path_of(again['url'])).status_code == HTTPStatus.OK
