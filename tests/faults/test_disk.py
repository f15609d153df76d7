"""A disk that is full: under PostgreSQL, under the folder of pictures, and under what is being received."""
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.faults.cases import Case, for_each
from tests.faults.trial import Outcome, Service, check_mended, check_suffered
from tests.support.answers import error_of, ok
from tests.support.attempts import Prepare
from tests.support.database import copy_of
from tests.support.disks import small_disk
from tests.support.members import WHITELIST, join
from tests.support.migrated_cluster import MigratedCluster
from tests.support.own_postgres import own_postgres
from tests.support.served_api import ServedApi
from tests.support.uploads import stored_files
from tests.support.waiting import wait_until
from tests.support.writes import WRITES

# What PostgreSQL takes when it has just been made, and what there is room for beside it.
DATABASE_SIZE = '160m'
PICTURES_SIZE = '2m'
# Bytes that are left, for some texts.
SPARE = 4 << 20
# Characters of a text that does not fit into a row; and more of them than there is ever room for.
TEXT = 90_000
MOST_TEXTS = 1500
REFUSALS = 20


@contextmanager
def full(disk: Path, *, but: int = 0) -> Iterator[None]:
    """Take what room there is on it, but for some bytes."""
    ballast = disk / 'ballast'
    with ballast.open('wb', buffering=0) as file, suppress(OSError):
        while True:
            file.write(os.urandom(1 << 12))
    os.truncate(ballast, ballast.stat().st_size - but)
    try:
        yield
    finally:
        ballast.unlink()


@dataclass(frozen=True, kw_only=True)
class PictureCase(Case):
    prepare: Prepare
    outcome: Outcome


PICTURES = [
    PictureCase(
        part='Folder of pictures',
        fault='full disk',
        meanwhile=name,
        holds=outcome.value,
        prepare=WRITES[name],
        outcome=outcome,
        quick=name == 'assets_upload',
    ) for name, outcome in {
        'assets_upload': Outcome.REFUSED,
        'avatar_set_avatar': Outcome.REFUSED,
        # These free room.
        'assets_delete_own': Outcome.SERVED,
        'avatar_reset_avatar': Outcome.SERVED,
        'own_account_delete': Outcome.SERVED,
    }.items()
]


@pytest.fixture(name='disk', scope='module')
def _disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with small_disk(tmp_path_factory.mktemp('disks') / 'pictures', PICTURES_SIZE) as disk:
        yield disk


@pytest.fixture(name='service', scope='module')
def _service(tmp_path_factory: pytest.TempPathFactory, postgres_url: str, disk: Path) -> Iterator[Service]:
    environ = {'WHITELISTED_EMAILS': ','.join(WHITELIST), 'IMAGE_FOLDER': str(disk)}
    with copy_of(postgres_url) as url, ServedApi(tmp_path_factory.mktemp('api'), url, environ) as api:
        yield Service(api=api, database_url=url, stored=lambda: stored_files(disk))


@for_each(PICTURES)
def test_no_room_for_pictures(service: Service, disk: Path, case: PictureCase) -> None:
    attempt = case.prepare(service.api)
    with full(disk):
        response = attempt.send()

    check_suffered(service, attempt, response, case.outcome)
    check_mended(service, attempt)


@for_each([
    Case(
        part='PostgreSQL',
        fault='full disk',
        meanwhile='publishing until long after the disk is full',
        holds='201 or 503; with room again, all that was acknowledged is there, and nothing else',
    )
])
def test_no_room_for_the_database(tmp_path: Path, case: Case, migrated_cluster: MigratedCluster) -> None:
    del case
    with (
        small_disk(tmp_path / 'disk', DATABASE_SIZE) as disk,
        own_postgres(disk / 'postgres', migrated_cluster) as postgres,
    ):
        with ServedApi(tmp_path, postgres.url, {'WHITELISTED_EMAILS': ','.join(WHITELIST)}) as api:
            author = join(api)
            acknowledged: set[int] = set()
            refused = 0
            with full(disk, but=SPARE):
                for number in range(MOST_TEXTS):
                    # Hardly to be compressed, and quick to be rendered.
                    body = os.urandom(TEXT // 2).hex()
                    project = {'title': f'{number}', 'body': body, 'status': 'draft'}
                    response = api.post('/v1/projects', project, headers=author.bearer)
                    if response.status_code == HTTPStatus.CREATED:
                        acknowledged.add(response.json()['id'])
                    else:
                        error_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
                        refused += 1
                        if refused == REFUSALS:
                            break
            assert refused == REFUSALS and acknowledged

            # Without room for its log it ends itself, and so may have to be started again.
            postgres.start()
            wait_until(lambda: api.get('/health/ready').status_code == HTTPStatus.OK, 'ready')
            path = f'{author.projects_path}?status=all&fields=id&limit=1000'
            listed = {each['id'] for each in ok(api.get(path, headers=author.bearer))}
            assert listed == acknowledged
            created = api.post('/v1/projects', {'title': 'After', 'body': ''}, headers=author.bearer)
            assert created.status_code == HTTPStatus.CREATED
