"""The nightly backup of the box: the script in docker-compose.yml, run against a real PostgreSQL."""
import fcntl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.support.box import BackupService
from tests.support.sockets import closed_port
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import wait_until

DIGEST = 'a' * 64


@pytest.fixture(name='service')
def fixture_service(tmp_path: Path, database_url: str) -> BackupService:
    return BackupService(tmp_path, database_url)


def put_picture(service: BackupService, name: str = f'{DIGEST}.png', content: bytes = b'pixels') -> Path:
    picture = service.images / '1/images' / name
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(content)
    return picture


def put_old_backup(service: BackupService, time: datetime) -> Path:
    backup = service.folder / f'{time:%Y-%m-%dT%H-%M-%SZ}'
    (backup / 'images').mkdir(parents=True)
    (backup / 'talelio.dump').write_bytes(b'old')
    return backup


def contents(backup: Path) -> dict[str, bytes]:
    return {str(path.relative_to(backup)): path.read_bytes() for path in backup.rglob('*') if path.is_file()}


def test_a_backup_is_a_dump_and_the_pictures(service: BackupService) -> None:
    put_picture(service)
    (service.images / '.incoming').mkdir()
    (service.images / '.incoming/draft').write_bytes(b'half')

    made = contents(service.back_up())

    assert made.keys() == {'talelio.dump', f'images/1/images/{DIGEST}.png'}
    assert made[f'images/1/images/{DIGEST}.png'] == b'pixels'
    assert made['talelio.dump'].startswith(b'PGDMP')


def test_nobody_else_can_read_it(service: BackupService) -> None:
    put_picture(service)

    backup = service.back_up()

    assert backup.stat().st_mode & 0o077 == 0
    assert (backup / 'talelio.dump').stat().st_mode & 0o077 == 0


def test_a_picture_takes_room_once_and_leaves_with_the_last_backup_that_knows_it(
    service: BackupService
) -> None:
    old = put_old_backup(service, datetime.now(UTC) - timedelta(days=1))
    known = old / f'images/1/images/{DIGEST}.png'
    known.parent.mkdir(parents=True)
    known.write_bytes(b'pixels')
    deleted = known.with_name(f'{"b" * 64}.png')
    deleted.write_bytes(b'deleted since')
    put_picture(service)
    put_picture(service, f'{"c" * 64}.png', b'come since')

    new = service.back_up()

    assert (new / known.relative_to(old)).samefile(known)
    assert contents(new / 'images') == {
        f'1/images/{DIGEST}.png': b'pixels',
        f'1/images/{"c" * 64}.png': b'come since',
    }
    assert deleted.exists()


def test_the_last_14_days_that_have_a_backup_are_kept(service: BackupService) -> None:
    today = datetime.now(UTC)
    # The service was away for a month in between.
    days = [today - timedelta(days=number) for number in (*range(1, 10), *range(40, 50))]
    olds = [put_old_backup(service, day) for day in days]
    second = put_old_backup(service, days[12].replace(minute=(today.minute + 1) % 60))
    foreign = service.folder / '2020 holiday pictures'
    foreign.mkdir()

    new = service.back_up()

    assert service.backups == sorted([new, *olds[:13], second, foreign])
    assert len(olds) > 13


def test_two_at_once_wait_for_one_another(service: BackupService, tmp_path: Path) -> None:
    lock = service.folder / '.lock'
    with lock.open('w') as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with service.nightly(tmp_path / 'log'):
            wait_until(lambda: is_waited_for(lock), 'the service waits')
            assert not service.backups

            fcntl.flock(held, fcntl.LOCK_UN)
            wait_until(lambda: service.is_healthy, 'healthy')


def is_waited_for(lock: Path) -> bool:
    # A line for each lock, and below it one with an arrow for each that waits for it: proc_locks(5).
    lines = Path('/proc/locks').read_text(encoding='ascii').splitlines()
    return any('-> FLOCK' in line and f':{lock.stat().st_ino} ' in line for line in lines)


# What goes wrong


def assert_failed_and_kept(
    completed: 'subprocess.CompletedProcess[str]', service: BackupService, kept: Path
) -> None:
    assert completed.returncode != 0
    assert completed.stderr
    assert service.backups == [kept]
    assert contents(kept)['talelio.dump'].startswith(b'PGDMP')


def test_without_a_database_the_backups_before_stay(service: BackupService) -> None:
    kept = service.back_up()
    with closed_port() as port:
        service.use_port(port)
        completed = service.run()

    assert_failed_and_kept(completed, service, kept)
    assert 'Connection refused' in completed.stderr


@pytest.mark.parametrize('content', [b'', b'x' * 200_000], ids=['database', 'pictures'])
def test_without_room_the_backups_before_stay(service: BackupService, content: bytes) -> None:
    kept = service.back_up()
    # No file may be larger, which meets a write in the same place as a full disk.
    limit = 100_000 if content else 1_000
    if content:
        put_picture(service, content=content)

    completed = service.run(limited_by=('prlimit', f'--fsize={limit}'))

    assert_failed_and_kept(completed, service, kept)


def test_a_picture_that_cannot_be_read_fails_it(service: BackupService) -> None:
    kept = service.back_up()
    put_picture(service).unlink()
    service.environ['IMAGES'] += '-elsewhere'

    assert_failed_and_kept(service.run(), service, kept)


def test_a_failure_is_said_and_shown_until_one_succeeds(service: BackupService, tmp_path: Path) -> None:
    log = tmp_path / 'log'
    address = make_url(service.environ['DATABASE_URL'])
    kept = put_old_backup(service, datetime.now(UTC) - timedelta(hours=25))
    with TcpProxy(address.host or '', address.port or 0) as proxy:
        service.use_port(proxy.port)
        assert service.is_healthy
        proxy.refuse()
        with service.nightly(log):
            wait_until(lambda: not service.is_healthy, 'unhealthy')
            wait_until(lambda: log.read_text(encoding='utf-8').count('BACKUP FAILED') > 2, 'tried again')
            assert service.backups == [kept]

            proxy.forward()
            wait_until(lambda: service.is_healthy, 'healthy')
    assert len(service.backups) == 2


def test_the_first_is_made_at_once_and_no_second_before_its_time(
    service: BackupService, tmp_path: Path
) -> None:
    log = tmp_path / 'log'
    rests = tmp_path / 'rests'
    # By its path: the name alone would lead to this program again.
    sleep = service.environ['REAL_SLEEP']
    service.environ['REAL_SLEEP'] = str(tmp_path / 'rest')
    (tmp_path / 'rest').write_text(f'#!/bin/sh\necho >> {rests}\nexec {sleep} 0.05\n', encoding='utf-8')
    (tmp_path / 'rest').chmod(0o755)
    assert not service.is_healthy
    with service.nightly(log):
        wait_until(lambda: service.is_healthy, 'healthy')
        rests.unlink(missing_ok=True)
        wait_until(lambda: rests.exists() and rests.read_text(encoding='utf-8').count('\n') > 3, 'rests')

    assert len(service.backups) == 1
    assert log.read_text(encoding='utf-8').count('Backed up') == 1


def test_a_service_that_got_stuck_is_unhealthy(service: BackupService) -> None:
    put_old_backup(service, datetime.now(UTC) - timedelta(days=2))

    assert not service.is_healthy
