import fcntl
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from talelio_backend.development.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from talelio_backend.development.embedded_postgres.programs import (
    ProgramRunner,
    RunnerFactory,
    as_other_user,
    as_self,
    choose_runner,
    find_installation,
    in_user_namespace,
)
from talelio_backend.settings import PROJECT_FOLDER
from tests.support.missing import skip

_needs_root = pytest.mark.skipif(os.geteuid() != 0, reason='no right to become another user: run as root')

# Says where the database is, and ends when its standard input does.
_USER_OF_A_SERVER = '''
import signal
import sys
from pathlib import Path
from talelio_backend.development.embedded_postgres import EmbeddedPostgres

# What a shell starts in the background inherits that it is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
with EmbeddedPostgres(Path(sys.argv[1]), durable=False) as url:
    print(url, flush=True)
    sys.stdin.read()
'''

# Instead of initdb, runs a shell that says so and ends when its standard input does.
_MAKER_OF_A_DATABASE = '''
import os
import sys
from pathlib import Path
from talelio_backend.development.embedded_postgres import EmbeddedPostgres
from talelio_backend.development.embedded_postgres.programs import ProgramRunner

run = ProgramRunner.run

def stand_in(self, *command, keep_open=()):
    if 'initdb' not in str(command[0]):
        return run(self, *command, keep_open=keep_open)
    told, answer = os.dup(0), os.dup(1)
    script = f'echo initdb >&{answer}; read line <&{told}'
    return run(self, 'sh', '-c', script, keep_open=[*keep_open, told, answer])

ProgramRunner.run = stand_in
EmbeddedPostgres(Path(sys.argv[1]), durable=False).acquire()
'''


@dataclass(frozen=True, kw_only=True)
class _InterruptedRunner(ProgramRunner):

    def run(self, *command: str | Path, keep_open: Sequence[int] = ()) -> subprocess.CompletedProcess[str]:
        result = super().run(*command, keep_open=keep_open)
        if Path(command[0]).name == 'initdb':
            # What initdb makes late; PG_VERSION, for one, is there early.
            shutil.rmtree(Path(command[2]) / 'global')
            raise KeyboardInterrupt
        return result


def _interrupted(folder: Path, installation: Path) -> ProgramRunner:
    runner = choose_runner(folder, installation)
    return _InterruptedRunner(**{f.name: getattr(runner, f.name) for f in fields(runner)})


@pytest.fixture(name='new_folder')
def _new_folder(tmp_path: Path) -> Path:
    # Nobody but its owner may enter, as with a checkout below /root.
    tmp_path.chmod(0o700)
    return tmp_path / 'var' / 'postgres'


@pytest.fixture(name='shared_folder', scope='module')
def _shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('shared') / 'postgres'
    with _server(folder):
        pass
    return folder


@pytest.fixture(name='folder')
def _folder(shared_folder: Path) -> Iterator[Path]:
    """That of a database which several tests use; its server does not run before or after."""
    yield shared_folder
    with open(shared_folder / 'server.lock', 'rb') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            # A test failed, or has just killed the server.
            pass
    with _server(shared_folder):
        pass


@pytest.fixture(name='server')
def _handle(folder: Path) -> Iterator[EmbeddedPostgres]:
    handle = _server(folder)
    yield handle
    handle.release()


def _server(folder: Path, timeout: float = 60) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, durable=False, timeout=timeout)


def _connect(url: str) -> psycopg2.extensions.connection:
    connection = psycopg2.connect(url.replace('+psycopg2', ''))
    connection.autocommit = True
    return connection


def _ask(url: str, query: str) -> str:
    with closing(_connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


def _do(url: str, statement: str) -> None:
    with closing(_connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _answers(url: str) -> bool:
    try:
        return _ask(url, 'SELECT 1') == '1'
    except psycopg2.OperationalError:
        return False


def _data(url: str) -> Path:
    return Path(_ask(url, 'SHOW data_directory'))


def _server_process(url: str) -> int:
    return int(_ask(url, "SELECT pg_read_file('postmaster.pid')").split()[0])


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port


def _python(script: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, '-c', script, str(folder)],
        cwd=PROJECT_FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # As a terminal does for what is started in the foreground.
        process_group=0,
    )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


@contextmanager
def _other_process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that uses the server until the end of the block, and the URL it was given."""
    with _python(_USER_OF_A_SERVER, folder) as process:
        yield process, _line(process)


def _killed_user(folder: Path) -> str:
    with _other_process(folder) as (process, url):
        process.kill()
    return url


def test_serves_until_it_is_released(server: EmbeddedPostgres) -> None:
    url = server.acquire()
    assert url.startswith('postgresql+psycopg2://')
    assert url.endswith(f'@127.0.0.1:{_port(url)}/talelio')
    assert _ask(url, 'SELECT current_database()') == 'talelio'
    server.release()
    assert not _answers(url)
    server.release()
    server.release()


def test_release_without_acquire_does_nothing(tmp_path: Path) -> None:
    _server(tmp_path / 'absent').release()
    assert not (tmp_path / 'absent').exists()


def test_acquire_again_gives_the_same_server(server: EmbeddedPostgres) -> None:
    url = server.acquire()
    assert server.acquire() == url
    server.release()
    assert not _answers(url)


def test_data_survive_a_restart(folder: Path) -> None:
    with _server(folder) as url:
        _do(url, 'CREATE TABLE kept AS SELECT 42 AS number')
    with _server(folder) as url:
        assert _ask(url, 'SELECT number FROM kept') == '42'
        _do(url, 'DROP TABLE kept')


def test_the_settings_that_matter(folder: Path) -> None:
    with _server(folder) as url:
        expected = {
            'TimeZone': 'UTC',
            'server_encoding': 'UTF8',
            'password_encryption': 'scram-sha-256',
            'data_checksums': 'on',
            'listen_addresses': '127.0.0.1',
            'unix_socket_directories': '',
            'fsync': 'off',
        }
        assert {name: _ask(url, f'SHOW {name}') for name in expected} == expected
        assert _ask(url, "SELECT upper('é') || lower('Ж')") == 'Éж'
        assert int(_ask(url, 'SHOW server_version_num')) >= 180000


def test_a_durable_server_syncs(folder: Path) -> None:
    with EmbeddedPostgres(folder) as url:
        assert _ask(url, 'SHOW fsync') == 'on'


def test_only_the_password_opens_it(folder: Path) -> None:
    with _server(folder) as url:
        password = urlsplit(url).password
        assert password and len(password) > 30
        with pytest.raises(psycopg2.OperationalError, match='password authentication failed'):
            _ask(url.replace(password, 'guess'), 'SELECT 1')
        home = _data(url).parent
    modes = {name: stat.S_IMODE((home / name).stat().st_mode) for name in ('password', 'data')}
    assert modes == {'password': 0o600, 'data': 0o700}


@pytest.mark.parametrize('address', ['127.0.0.2', '::1', 'own'])
def test_other_addresses_are_closed(folder: Path, address: str) -> None:
    if address == 'own':
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                # Sends nothing; 192.0.2.0/24 is for documentation (RFC 5737).
                probe.connect(('192.0.2.1', 9))
            except OSError:
                skip('no address but the loopback ones', 'connect this machine to a network')
            address = probe.getsockname()[0]
    with _server(folder) as url:
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        with socket.socket(family) as client, pytest.raises(OSError):
            client.settimeout(1)
            client.connect((address, _port(url)))


def test_variables_for_clients_do_not_lead_the_server_astray(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('PGDATA', 'PGPORT', 'PGUSER', 'PGDATABASE', 'PGPASSWORD', 'PG_COLOR'):
        monkeypatch.setenv(name, '/nowhere')
    with _server(folder) as url:
        assert _answers(url)


def test_the_last_of_two_handles_stops_it(folder: Path, server: EmbeddedPostgres) -> None:
    second = _server(folder)
    url = server.acquire()
    with second as same_url:
        assert same_url == url
        server.release()
        assert _answers(url)
    assert not _answers(url)


def test_the_last_of_two_processes_stops_it(folder: Path) -> None:
    with _other_process(folder) as (_, url):
        with _server(folder) as same_url:
            assert same_url == url
        assert _answers(url)
    assert not _answers(url)


def test_stays_while_another_process_uses_it(folder: Path) -> None:
    with _server(folder) as url:
        with _other_process(folder) as (_, same_url):
            assert same_url == url
        assert _answers(url)


def test_a_fork_leaves_it_to_its_parent(server: EmbeddedPostgres) -> None:
    url = server.acquire()
    process = os.fork()
    if process == 0:
        try:
            server.release()
        finally:
            os._exit(0)
    os.waitpid(process, 0)
    assert _answers(url)
    server.release()
    assert not _answers(url)


def test_a_fork_that_goes_on_does_not_hold_it(folder: Path, server: EmbeddedPostgres) -> None:
    server.acquire()
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(writer)
            os.read(reader, 1)
        finally:
            os._exit(0)
    server.release()
    with _server(folder, timeout=5) as url:
        assert _answers(url)
    assert not _answers(url)
    os.close(reader)
    os.close(writer)
    os.waitpid(process, 0)


def test_attaches_after_its_user_was_killed(folder: Path) -> None:
    url = _killed_user(folder)
    assert _answers(url)
    with _server(folder) as same_url:
        assert same_url == url
    assert not _answers(url)


def test_an_interrupt_from_the_keyboard_passes_it_by(folder: Path, server: EmbeddedPostgres) -> None:
    with _other_process(folder) as (process, url):
        server.acquire()
        before = _server_process(url)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) != 0
    assert _server_process(url) == before
    server.release()


def test_recovers_after_the_server_was_killed(server: EmbeddedPostgres) -> None:
    url = server.acquire()
    _do(url, 'CREATE TABLE kept AS SELECT 42 AS number')
    os.kill(_server_process(url), signal.SIGKILL)
    url = server.acquire()
    assert _ask(url, 'SELECT number FROM kept') == '42'
    _do(url, 'DROP TABLE kept')
    server.release()
    assert not _answers(url)


def test_release_after_the_server_was_killed(folder: Path) -> None:
    with _server(folder) as url:
        os.kill(_server_process(url), signal.SIGKILL)


def test_no_second_server_beside_what_a_killed_one_left(folder: Path) -> None:
    url = _killed_user(folder)
    with closing(_connect(url)) as connection:
        # Stopped, it does not notice that its server is gone.
        left = connection.info.backend_pid
        os.kill(left, signal.SIGSTOP)
        os.kill(_server_process(url), signal.SIGKILL)
        with pytest.raises(EmbeddedPostgresError, match='did not respond within 0.3 seconds'):
            _server(folder, timeout=0.3).acquire()
        os.kill(left, signal.SIGKILL)
    with _server(folder) as url:
        assert _answers(url)


def test_a_process_that_inherited_the_number_of_the_server_is_left_alone(folder: Path) -> None:
    with _server(folder) as url:
        data = _data(url)
    with subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE) as unrelated:
        (data / 'postmaster.pid'
         ).write_text(f'{unrelated.pid}\n{data}\n0\n{_port(url)}\n\n127.0.0.1\n', encoding='ascii')
        with _server(folder) as url:
            assert _answers(url)
        assert unrelated.poll() is None
        unrelated.communicate(b'\n')


def test_an_empty_pid_file_is_no_obstacle(folder: Path) -> None:
    with _server(folder) as url:
        data = _data(url)
    (data / 'postmaster.pid').touch()
    with _server(folder) as url:
        assert _answers(url)


def test_the_log_of_the_previous_server_is_kept(folder: Path) -> None:
    with _server(folder) as url:
        log = _data(url).parent / 'server.log'
    before = log.read_bytes()
    assert before
    with _server(folder):
        assert log.with_name('server.log.1').read_bytes() == before
        assert log.read_bytes() != before


def test_why_it_does_not_start_is_said(folder: Path) -> None:
    with _server(folder) as url:
        settings = _data(url) / 'postgresql.conf'
    whole = settings.read_bytes()
    settings.write_bytes(whole + b"\nno_such_setting = 'x'\n")
    try:
        with pytest.raises(EmbeddedPostgresError, match='no_such_setting'):
            _server(folder).acquire()
    finally:
        settings.write_bytes(whole)


def test_a_server_that_cannot_be_used_does_not_stay(folder: Path) -> None:
    with _server(folder) as url:
        data = _data(url)
    # libpq reads the setting. In this process, any other thread would meet it too.
    run = subprocess.run(
        [sys.executable, '-c', _USER_OF_A_SERVER, str(folder)],
        cwd=PROJECT_FOLDER,
        env=os.environ | {'PGSSLMODE': 'require'},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert 'EmbeddedPostgresError' in run.stderr and 'does not support SSL' in run.stderr
    assert not (data / 'postmaster.pid').exists()


def test_data_of_another_version_are_refused(folder: Path) -> None:
    with _server(folder) as url:
        version = _data(url) / 'PG_VERSION'
    whole = version.read_bytes()
    version.write_text('9\n', encoding='ascii')
    try:
        with pytest.raises(EmbeddedPostgresError, match=r'created by PostgreSQL 9,(.|\n)*18\.'):
            _server(folder).acquire()
    finally:
        version.write_bytes(whole)


def test_a_lost_password_is_said(folder: Path) -> None:
    with _server(folder) as url:
        password = _data(url).parent / 'password'
    aside = password.rename(password.with_name('aside'))
    try:
        with pytest.raises(EmbeddedPostgresError, match='password .* is missing'):
            _server(folder).acquire()
    finally:
        aside.rename(password)


def test_two_processes_at_once_make_one_server(new_folder: Path) -> None:
    with (
        _python(_USER_OF_A_SERVER, new_folder) as first,
        _python(_USER_OF_A_SERVER, new_folder) as second,
    ):
        url = _line(first)
        assert _line(second) == url
        assert _answers(url)
    assert not _answers(url)


def test_a_database_left_half_made_is_made_anew(new_folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        EmbeddedPostgres(new_folder, durable=False, way=_interrupted).acquire()
    with _server(new_folder) as url:
        assert _data(url).name == 'data'
        assert [path.name for path in _data(url).parent.glob('data*')] == ['data']


def test_an_initdb_whose_caller_was_killed_is_waited_for(new_folder: Path) -> None:
    with _python(_MAKER_OF_A_DATABASE, new_folder) as process:
        assert _line(process) == 'initdb'
        process.kill()
        process.wait()
        with pytest.raises(EmbeddedPostgresError, match='did not respond within 0.3 seconds'):
            _server(new_folder, timeout=0.3).acquire()
    with _server(new_folder) as url:
        assert _answers(url)


def test_a_folder_with_something_else_is_left_alone(new_folder: Path) -> None:
    (new_folder / 'data').mkdir(parents=True)
    (new_folder / 'data' / 'thesis.txt').touch()
    with pytest.raises(EmbeddedPostgresError, match='move it away|move .* away'):
        _server(new_folder).acquire()
    assert (new_folder / 'data' / 'thesis.txt').exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    with pytest.raises(EmbeddedPostgresError, match='Cannot use PostgreSQL'):
        _server(tmp_path / 'file' / 'postgres').acquire()


def test_a_path_that_a_shell_would_change_is_refused(tmp_path: Path) -> None:
    (tmp_path / '$(reboot)').mkdir()
    with pytest.raises(EmbeddedPostgresError, match='must not contain'):
        _server(tmp_path / '$(reboot)').acquire()


@pytest.mark.skipif(os.geteuid() == 0, reason='PostgreSQL does not run as root: run as an ordinary user')
def test_a_server_of_an_ordinary_user(new_folder: Path) -> None:
    with EmbeddedPostgres(new_folder, durable=False, way=as_self) as url:
        assert _data(url) == new_folder / 'data'


def test_a_server_in_a_user_namespace(new_folder: Path) -> None:
    _skip_if_impossible(in_user_namespace, 'allow user namespaces, or run outside of a container')
    with EmbeddedPostgres(new_folder, durable=False, way=in_user_namespace) as url:
        assert _data(url) == new_folder / 'data'
        assert _data(url).stat().st_uid == os.geteuid()
    assert not _answers(url)


def test_a_server_of_another_user(new_folder: Path) -> None:
    _skip_if_impossible(as_other_user, 'run as root, with the capabilities of a container')
    server = partial(EmbeddedPostgres, new_folder, durable=False, way=as_other_user)
    with server() as url:
        assert _data(url) == new_folder / 'data'
        _do(url, 'CREATE TABLE kept AS SELECT 42 AS number')
        lines = Path(f'/proc/{_server_process(url)}/status').read_text(encoding='ascii').splitlines()
        status = {line.split()[0]: line.split()[1:] for line in lines}
        assert '0' not in status['Uid:'] + status['Gid:'] + status['Groups:']
        # CAP_DAC_OVERRIDE.
        assert int(status['CapPrm:'][0], 16) == 1 << 1
        os.kill(_server_process(url), signal.SIGKILL)
    with server() as url:
        assert _ask(url, 'SELECT number FROM kept') == '42'


@_needs_root
def test_data_of_somebody_else_are_refused(new_folder: Path) -> None:
    (new_folder / 'data').mkdir(parents=True)
    (new_folder / 'data' / 'PG_VERSION').touch()
    os.chown(new_folder / 'data', 12345, -1)
    with pytest.raises(EmbeddedPostgresError, match='belongs to user id 12345'):
        _server(new_folder).acquire()


@_needs_root
def test_all_that_was_tried_is_said(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match='(?s)DATABASE_URL.*- in user namespace.*- as other user'):
        choose_runner(tmp_path, tmp_path / 'no-installation')


def _skip_if_impossible(way: RunnerFactory, advice: str) -> None:
    if problem := way(Path('/'), find_installation()).problem():
        skip(problem, advice)


def test_without_the_package_its_absence_is_said() -> None:
    with pytest.raises(EmbeddedPostgresError, match='set DATABASE_URL, or install'):
        find_installation('no_such_package')


def test_the_newest_installation_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('pginstall', 'pginstall9', 'pginstall19', 'pginstall20-empty', 'pginstall20'):
        (tmp_path / 'some_package' / name / 'bin').mkdir(parents=True)
        if name != 'pginstall20':
            (tmp_path / 'some_package' / name / 'bin' / 'postgres').touch()
    (tmp_path / 'some_package' / '__init__.py').write_text('raise SystemExit', encoding='ascii')
    monkeypatch.syspath_prepend(tmp_path)
    assert find_installation('some_package').name == 'pginstall19'
