"""The whole way of a picture on each store: a folder, moto's S3 and rclone's S3."""
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.answers import error_of, ok
from tests.support.database import connect, copy_of, execute
from tests.support.flask_command import flask
from tests.support.members import WHITELIST, Member, join
from tests.support.s3_servers import AWS_ENVIRON, MotoServer, RcloneServer
from tests.support.served_api import ServedApi
from tests.support.uploads import AVATAR, IMAGES, list_images, new_picture, path_of, send, upload


@dataclass(frozen=True, kw_only=True)
class Site:
    """A server with a store of its own."""

    api: ServedApi
    database_url: str
    # The bytes under a URL that the API gave, or None.
    fetch: Callable[[str], bytes | None]
    # All keys in the store.
    keys: Callable[[], set[str]]
    put: Callable[[str, bytes], None]


@pytest.fixture(name='site', scope='module', params=['folder', 'moto', 'rclone'])
def _site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
          postgres_url: str) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp(request.param)
    with copy_of(postgres_url) as url:
        make = _folder_site if request.param == 'folder' else _s3_site
        yield from make(folder, url, request.param)


def _folder_site(folder: Path, database_url: str, _: str) -> Iterator[Site]:
    images = folder / 'images'
    with ServedApi(folder, database_url, {'WHITELISTED_EMAILS': ','.join(WHITELIST)}) as api:

        def fetch(url: str) -> bytes | None:
            response = api.get(path_of(url))
            return response.content if response.status_code == HTTPStatus.OK else None

        def put(key: str, content: bytes) -> None:
            (images / key).parent.mkdir(parents=True, exist_ok=True)
            (images / key).write_bytes(content)

        yield Site(
            api=api,
            database_url=database_url,
            fetch=fetch,
            keys=lambda:
            {str(file.relative_to(images))
             for file in images.glob('[0-9]*/**/*') if file.is_file()},
            put=put
        )


def _s3_site(folder: Path, database_url: str, name: str) -> Iterator[Site]:
    server = MotoServer(folder) if name == 'moto' else RcloneServer(folder)
    api_folder = folder / 'api'
    api_folder.mkdir()
    with server:
        bucket = server.make_bucket()
        environ = {
            **AWS_ENVIRON,
            'WHITELISTED_EMAILS': ','.join(WHITELIST),
            'S3_BUCKET': bucket,
            'AWS_ENDPOINT_URL_S3': server.url,
            'AWS_REGION': 'us-east-1',
        }
        client = server.client

        def fetch(url: str) -> bytes | None:
            key = url.removeprefix(f'{server.url}/{bucket}/')
            assert key != url
            try:
                response = client.get_object(Bucket=bucket, Key=key)
            except client.exceptions.NoSuchKey:
                return None
            assert response['CacheControl'] == 'public, max-age=31536000, immutable'
            assert response['ContentDisposition'] == 'inline'
            content: bytes = response['Body'].read()
            return content

        with ServedApi(api_folder, database_url, environ) as api:
            yield Site(
                api=api,
                database_url=database_url,
                fetch=fetch,
                keys=lambda:
                {item['Key']
                 for item in client.list_objects_v2(Bucket=bucket).get('Contents', [])},
                put=lambda key, content: _put(client, bucket, key, content)
            )


def _put(client: Any, bucket: str, key: str, content: bytes) -> None:
    client.put_object(Bucket=bucket, Key=key, Body=content)


@pytest.fixture(name='owner')
def _owner(site: Site) -> Member:
    return join(site.api)


def files_of(site: Site, member: Member) -> set[str]:
    user_id = member.account['user']['id']
    return {key for key in site.keys() if key.startswith(f'{user_id}/')}


def test_a_picture_goes_in_and_comes_out(site: Site, owner: Member) -> None:
    image, = upload(site.api, owner, new_picture((700, 350), 'JPEG'))

    content = site.fetch(image['url'])
    assert content is not None and len(content) == image['bytes']
    assert Image.open(BytesIO(content)).size == (700, 350)
    for variant in image['variants']:
        content = site.fetch(variant['url'])
        assert content is not None
        assert Image.open(BytesIO(content)).size == (variant['width'], variant['width'] // 2)
    assert len(files_of(site, owner)) == 3


def test_a_deleted_picture_leaves_nothing(site: Site, owner: Member) -> None:
    image, = upload(site.api, owner, new_picture((700, 350)))

    site.api.request('DELETE', f'{IMAGES}/{image["id"]}', headers=owner.bearer)

    assert site.fetch(image['url']) is None
    assert files_of(site, owner) == set()


def test_a_bad_file_among_good_ones_leaves_nothing(site: Site, owner: Member) -> None:
    response = send(site.api, owner, new_picture((700, 350)), b'no picture')

    error_of(response, HTTPStatus.BAD_REQUEST)
    assert files_of(site, owner) == set()


def test_an_avatar_comes_and_goes(site: Site, owner: Member) -> None:
    url = ok(send(site.api, owner, new_picture(), path=AVATAR, method='PUT'))['avatar_url']
    assert site.fetch(url)

    ok(site.api.request('DELETE', AVATAR, headers=owner.bearer))

    assert site.fetch(url) is None


def sweep(site: Site, *options: str, status: int = 0) -> str:
    """Run by its operator, in the server's own environment."""
    done = flask(site.api.environ, 'assets', 'sweep', *options)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def test_a_sweep_frees_what_no_picture_claims_and_nothing_else(site: Site, owner: Member) -> None:
    kept, = upload(site.api, owner, new_picture((400, 300)))
    avatar = ok(send(site.api, owner, new_picture(), path=AVATAR, method='PUT'))['avatar_url']
    before = files_of(site, owner)
    left = {f'{owner.account["user"]["id"]}/images/{"a" * 64}{end}' for end in ('.jpg', '-320.webp')}
    for key in left:
        site.put(key, b'x' * 600_000)

    assert 'Would free 0.0 MB in 0 files' in sweep(site)
    assert 'Would free 1.2 MB in 2 files' in sweep(site, '--older-than', '0')
    assert files_of(site, owner) == before | left
    assert 'Freed 1.2 MB in 2 files' in sweep(site, '--older-than', '0', '--delete')
    assert files_of(site, owner) == before
    assert site.fetch(kept['url']) and site.fetch(avatar)


def test_a_sweep_frees_the_pictures_of_an_account_that_is_gone(site: Site, owner: Member) -> None:
    upload(site.api, owner, new_picture((400, 300)))
    with closing(connect(site.database_url)) as database:
        execute(database, 'DELETE FROM accounts WHERE id = %s', owner.account['id'])

    sweep(site, '--older-than', '0', '--delete', '--even-all')

    assert files_of(site, owner) == set()


def test_a_sweep_with_another_database_deletes_nothing(site: Site, owner: Member, database_url: str) -> None:
    upload(site.api, owner, new_picture())
    before = site.keys()
    site.api.environ['DATABASE_URL'] = database_url
    try:
        said = sweep(site, '--older-than', '0', '--delete', status=1)
    finally:
        site.api.environ['DATABASE_URL'] = site.database_url

    assert 'If it is the right one for this store, repeat with --even-all.' in said
    assert site.keys() == before


def test_a_sweep_finishes_a_deletion_and_frees_more_files_than_go_into_a_batch(
    site: Site, owner: Member
) -> None:
    kept, marked = upload(site.api, owner, new_picture(), new_picture((400, 300)))
    # What other tests have left.
    sweep(site, '--older-than', '0', '--delete')
    user_id = owner.account['user']['id']
    for number in range(70):
        site.put(f'{user_id}/images/{number:064x}.jpg', b'x')
    with closing(connect(site.database_url)) as database:
        execute(database, 'UPDATE images SET deleted_at = now() WHERE id = %s', marked['id'])

        assert 'Freed 0.0 MB in 72 files' in sweep(site, '--older-than', '0', '--delete')

        assert execute(database, 'SELECT id FROM images WHERE user_id = %s', user_id) == 1
    assert {key.rpartition('/')[2]
            for key in files_of(site, owner) if '-' not in key} == {kept['url'].rpartition('/')[2]}


def test_the_list_is_the_same_on_every_store(site: Site, owner: Member) -> None:
    images = [upload(site.api, owner, new_picture())[0] for _ in range(2)]

    assert list_images(site.api, owner) == images[::-1]
