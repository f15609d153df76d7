from pathlib import Path

import pytest

from talelio_backend.app_asset.business.ports import ImageStore
from talelio_backend.app_asset.data.stores.folder_store import FolderImageStore
from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.app_asset.data.stores.s3_store import S3ImageStore
from talelio_backend.app_asset.data.stores.store_check import check_store
from talelio_backend.shared.diagnostics.business.checks import CheckFailed, Status
from tests.support.s3_servers import (
    ACCESS_KEY_ID,
    AWS_ENVIRON,
    PATIENT,
    SECRET_ACCESS_KEY,
    MotoServer,
    RcloneServer,
)
from tests.support.scripted_s3 import Answer, ScriptedS3, error_response
from tests.support.sockets import closed_port


def bucket_at(url: str, name: str = 'nowhere') -> S3ImageStore:
    return S3ImageStore(S3Bucket(name=name, endpoint_url=url), limits=PATIENT)


def failure(store: ImageStore, *, publishes: bool = True) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        check_store(store, remedy='mend it', publishes=publishes)
    for secret in (ACCESS_KEY_ID, SECRET_ACCESS_KEY, 'Signature='):
        assert secret not in caught.value.found
    return caught.value


def test_a_public_bucket_passes_and_is_left_empty(moto: MotoServer) -> None:
    name = moto.make_bucket()
    moto.client.put_bucket_acl(Bucket=name, ACL='public-read')

    found = check_store(bucket_at(moto.url, name), remedy='', publishes=True)

    assert found == f'the bucket {name}: put, got and deleted a file'
    assert not moto.client.list_objects_v2(Bucket=name)['KeyCount']


def test_a_bucket_that_only_the_service_can_read_is_a_warning(rclone: RcloneServer) -> None:
    error = failure(bucket_at(rclone.url, rclone.make_bucket()))

    assert error.status is Status.WARN
    assert 'S3_BASE_URL' in error.remedy


@pytest.mark.parametrize('method', ['PUT', 'HEAD', 'DELETE'])
def test_a_refused_operation_is_a_failure_with_its_code(method: str) -> None:
    with ScriptedS3(
        lambda seen: error_response(403, 'AccessDenied', message=f'{ACCESS_KEY_ID} may not')
        if seen.method == method else Answer(200)
    ) as server:
        error = failure(bucket_at(server.url))

    assert error.status is Status.FAIL
    # A response to HEAD has no body, hence no code.
    assert ('status 403' if method == 'HEAD' else 'AccessDenied') in error.found
    assert error.remedy == 'mend it'


def test_a_missing_bucket(moto: MotoServer) -> None:
    assert 'NoSuchBucket' in failure(bucket_at(moto.url)).found


def test_no_credentials(moto: MotoServer, aws_environ: pytest.MonkeyPatch) -> None:
    for name in AWS_ENVIRON.keys() & {'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'}:
        aws_environ.delenv(name)

    assert failure(bucket_at(moto.url)).found == 'the bucket nowhere: The image storage is not set up'


def test_no_server() -> None:
    with closed_port() as port:
        assert 'does not answer' in failure(bucket_at(f'http://127.0.0.1:{port}')).found


def test_a_folder_passes_and_is_left_empty(tmp_path: Path) -> None:
    store = FolderImageStore(tmp_path / 'images', 'https://api.test')

    check_store(store, remedy='', publishes=False)

    assert not list(store.list())


def test_a_read_only_folder(tmp_path: Path) -> None:
    (tmp_path / 'images').write_text('not a folder', encoding='utf-8')

    error = failure(FolderImageStore(tmp_path / 'images', 'https://api.test'), publishes=False)

    assert (error.status, error.remedy) == (Status.FAIL, 'mend it')
    assert error.found == f'the folder {tmp_path}/images: File exists'
