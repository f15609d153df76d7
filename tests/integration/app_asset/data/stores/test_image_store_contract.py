"""Tests the contract of ImageStore with the real stores and the fake."""
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
import requests

from talelio_backend.app_asset.business.ports import ImageStore
from talelio_backend.app_asset.data.stores.folder_store import FolderImageStore
from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.app_asset.data.stores.s3_store import S3ImageStore
from talelio_backend.shared.business.errors import Unavailable
from tests.fakes.images import FakeImageStore
from tests.support.at_once import at_once
from tests.support.image_files import keys_of, new_files
from tests.support.s3_servers import PATIENT, MotoServer, RcloneServer

LIMITS = replace(PATIENT, attempts=2)


class Backing(Protocol):

    @property
    def store(self) -> ImageStore:
        ...

    @property
    def base_url(self) -> str:
        ...

    def read(self, key: str) -> bytes:
        """Read a file without using the store."""

    def spoil(self, key: str) -> None:
        """Make every save of the key fail."""


class FakeBacking:
    base_url = 'https://images.test'

    def __init__(self) -> None:
        self.store = FakeImageStore()
        self.store.now = datetime.now(UTC)

    def read(self, key: str) -> bytes:
        return self.store.files[key].content

    def spoil(self, _key: str) -> None:
        self.store.fail_at = 2


class FolderBacking:
    base_url = 'https://api.test/files'

    def __init__(self, folder: Path) -> None:
        self.store = FolderImageStore(folder, self.base_url)
        self._folder = folder

    def read(self, key: str) -> bytes:
        return (self._folder / key).read_bytes()

    def spoil(self, key: str) -> None:
        (self._folder / key).mkdir(parents=True)


class S3Backing:

    def __init__(self, server: MotoServer | RcloneServer) -> None:
        self.bucket = S3Bucket(name=server.make_bucket(), endpoint_url=server.url)
        self.store = S3ImageStore(self.bucket, limits=LIMITS)
        self.base_url = f'{server.url}/{self.bucket.name}'
        self._server = server

    def get(self, key: str) -> requests.Response:
        """Read the file as if it were public."""
        url = self._server.client.generate_presigned_url(
            'get_object', Params={
                'Bucket': self.bucket.name,
                'Key': key
            }
        )
        return requests.get(url, timeout=60)

    def read(self, key: str) -> bytes:
        response = self.get(key)
        assert response.status_code == 200, response.text
        return response.content

    def spoil(self, key: str) -> None:
        assert isinstance(self._server, RcloneServer), 'moto refuses no single key'
        (self._server.buckets / self.bucket.name / key).mkdir(parents=True)


@pytest.fixture(name='moto_backing')
def fixture_moto_backing(moto: MotoServer) -> S3Backing:
    return S3Backing(moto)


@pytest.fixture(name='rclone_backing')
def fixture_rclone_backing(rclone: RcloneServer) -> S3Backing:
    return S3Backing(rclone)


@pytest.fixture(name='s3_backing', params=['moto', 'rclone'])
def fixture_s3_backing(request: pytest.FixtureRequest) -> S3Backing:
    backing = request.getfixturevalue(f'{request.param}_backing')
    assert isinstance(backing, S3Backing)
    return backing


@pytest.fixture(name='backing', params=['fake', 'folder', 'moto', 'rclone'])
def fixture_backing(request: pytest.FixtureRequest, tmp_path: Path) -> Backing:
    simple: dict[str, Callable[[], Backing]] = {
        'fake': FakeBacking,
        'folder': lambda: FolderBacking(tmp_path / 'not' / 'made' / 'yet'),
    }
    if request.param in simple:
        return simple[request.param]()
    backing: S3Backing = request.getfixturevalue(f'{request.param}_backing')
    return backing


def test_saved_files_are_stored_byte_for_byte(backing: Backing) -> None:
    files = new_files(bytes(range(256)) * 4096 + b'\r\n\0')

    backing.store.save(files)

    assert [backing.store.exists(key) for key in keys_of(files)] == [True] * 3
    assert [backing.read(file.key) for file in files] == [file.content for file in files]


def test_an_empty_file_is_stored(backing: Backing) -> None:
    file, = new_files(b'', widths=())

    backing.store.save([file])

    assert backing.store.exists(file.key)
    assert backing.read(file.key) == b''


def test_saving_no_files_is_not_an_error(backing: Backing) -> None:
    backing.store.save([])
    backing.store.delete([])

    assert not list(backing.store.list())


def test_an_unsaved_file_does_not_exist(backing: Backing) -> None:
    file, variant, _ = new_files()
    assert not backing.store.exists(file.key)
    assert not list(backing.store.list())

    backing.store.save([variant])

    assert not backing.store.exists(file.key)


def test_the_list_has_each_file_with_its_size_and_time(backing: Backing) -> None:
    # Servers round times down to seconds.
    before = datetime.now(UTC) - timedelta(seconds=2)
    files = [*new_files(), *new_files(b'other', user_id=8, widths=())]

    backing.store.save(files)

    listed = list(backing.store.list())
    assert {file.key: file.size for file in listed} == {file.key: len(file.content) for file in files}
    assert len(listed) == len(files)
    assert all(before <= file.modified_at <= datetime.now(UTC) for file in listed)


def test_deleted_files_are_gone_and_others_stay(backing: Backing) -> None:
    files, others = new_files(), new_files(b'other')
    backing.store.save(files)
    backing.store.save(others)

    backing.store.delete(keys_of(files))

    assert not any(backing.store.exists(key) for key in keys_of(files))
    assert {file.key for file in backing.store.list()} == set(keys_of(others))
    assert backing.read(others[0].key) == others[0].content


def test_deleting_a_missing_file_is_not_an_error(backing: Backing) -> None:
    files = new_files()
    backing.store.delete(keys_of(files))
    backing.store.save(files[1:])

    backing.store.delete(keys_of(files))
    backing.store.delete(keys_of(files))

    assert not list(backing.store.list())


def test_saving_the_same_file_again_changes_nothing(backing: Backing) -> None:
    files = new_files()

    backing.store.save(files)
    backing.store.save(files)

    assert {file.key for file in backing.store.list()} == set(keys_of(files))
    assert [backing.read(file.key) for file in files] == [file.content for file in files]


def test_a_deleted_file_can_be_saved_again(backing: Backing) -> None:
    files = new_files()
    backing.store.save(files)
    backing.store.delete(keys_of(files))

    backing.store.save(files)

    assert backing.read(files[0].key) == files[0].content


# Without moto, which cannot refuse a single key. test_s3_faults covers refusals by S3.
@pytest.mark.parametrize('backing', ['fake', 'folder', 'rclone'], indirect=True)
def test_the_first_file_does_not_exist_without_the_others(backing: Backing) -> None:
    files = new_files()
    backing.spoil(files[2].key)

    with pytest.raises(Unavailable):
        backing.store.save(files)

    assert not backing.store.exists(files[0].key)


# Without moto, which closes the file of a request while it reads it for another.
@pytest.mark.parametrize('backing', ['fake', 'folder', 'rclone'], indirect=True)
def test_the_same_image_can_be_saved_concurrently(backing: Backing) -> None:
    files = new_files(b'x' * 200_000)
    # rclone sometimes fails if several files are the first in a folder.
    backing.store.save(files[1:2])

    at_once([lambda: backing.store.save(files)] * 8)

    assert [backing.read(file.key) for file in files] == [file.content for file in files]
    assert {file.key for file in backing.store.list()} == set(keys_of(files))


def test_the_url_is_the_base_and_the_key(backing: Backing) -> None:
    key = new_files()[0].key

    assert backing.store.url(key) == f'{backing.base_url}/{key}'


# S3 only


def test_files_are_served_with_their_media_type_and_cache_headers(s3_backing: S3Backing) -> None:
    files = new_files()

    s3_backing.store.save(files)

    for file in files:
        headers = s3_backing.get(file.key).headers
        assert headers['Content-Type'] == file.media_type
        assert headers['Cache-Control'] == 'public, max-age=31536000, immutable'
        assert headers['Content-Disposition'] == 'inline'
        assert headers['Content-Length'] == str(len(file.content))


def test_listing_continues_after_the_first_page(rclone: RcloneServer, rclone_backing: S3Backing) -> None:
    folder = rclone.buckets / rclone_backing.bucket.name / '7' / 'images'
    folder.mkdir(parents=True)
    names = {f'{number:064x}.jpg' for number in range(1100)}
    for name in names:
        (folder / name).touch()

    listed = [file.key for file in rclone_backing.store.list()]

    assert len(listed) == 1100
    assert set(listed) == {f'7/images/{name}' for name in names}


def test_listing_reads_one_page_at_a_time(moto_backing: S3Backing) -> None:
    files = new_files(widths=(320, 640, 960, 1280))
    moto_backing.store.save(files)

    store = S3ImageStore(moto_backing.bucket, limits=replace(LIMITS, page_length=2))

    assert {file.key for file in store.list()} == set(keys_of(files))
