import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from talelio_backend.app_asset.data.stores.folder_store import INCOMING, STALE_AFTER, FolderImageStore
from talelio_backend.settings import PROJECT_FOLDER
from talelio_backend.shared.business.errors import Unavailable
from tests.support.image_files import keys_of, new_files
from tests.support.missing import skip

FILES = new_files()
KEYS = keys_of(FILES)
DIGEST = KEYS[0].rpartition('/')[2].removesuffix('.jpg')


@pytest.fixture(name='folder')
def fixture_folder(tmp_path: Path) -> Path:
    return tmp_path / 'images'


@pytest.fixture(name='store')
def fixture_store(folder: Path) -> FolderImageStore:
    return FolderImageStore(folder, 'https://api.test/files')


def run(program: str, *arguments: str | Path, inside: tuple[str, ...] = ()) -> Any:
    """Run Python code, optionally inside another program, and return the JSON that it prints."""
    ended = subprocess.run(
        [*inside, sys.executable, '-c', program, *arguments],
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


# Locating files


def test_a_stored_file_is_located(store: FolderImageStore, folder: Path) -> None:
    store.save(FILES)

    assert [store.locate(key) for key in KEYS] == [folder / key for key in KEYS]


@pytest.mark.parametrize(
    'key', [
        '',
        '.',
        '..',
        'secret',
        '../secret',
        f'7/images/../../../{DIGEST}.jpg',
        f'7/images/{DIGEST}.jpg/../../../../secret',
        f'../images/7/images/{DIGEST}.jpg',
        f'/7/images/{DIGEST}.jpg',
        f'7//images/{DIGEST}.jpg',
        f'7/./images/{DIGEST}.jpg',
        f'7/images/{DIGEST}.jpg/',
        f'7/images/{DIGEST}.jpg\n',
        f'7/images/{DIGEST}.jpg\0',
        f'7/images/{DIGEST.upper()}.jpg',
        f'07/images/{DIGEST}.jpg',
        f'\u0667/images/{DIGEST}.jpg',
        f'7/images/{DIGEST}',
        f'7/images/{DIGEST}.jpg.html',
        f'7/images/{DIGEST}-320-640.webp',
        f'7/images/{DIGEST}-{"9" * 300}.webp',
        f'8/images/{DIGEST}.jpg',
        f'{INCOMING}/draft',
        '7/images',
    ]
)
def test_only_stored_files_are_located(store: FolderImageStore, folder: Path, key: str) -> None:
    store.save(FILES)
    (folder / INCOMING / 'draft').write_bytes(b'draft')
    for secret in (folder / 'secret', folder.parent / 'secret'):
        secret.write_bytes(b'secret')

    assert store.locate(key) is None
    assert not store.exists(key)


def link_file(folder: Path) -> None:
    (folder / KEYS[0]).unlink()
    (folder / KEYS[0]).symlink_to(folder.parent / 'secret')


def link_to_nothing(folder: Path) -> None:
    (folder / KEYS[0]).unlink()
    (folder / KEYS[0]).symlink_to(KEYS[0].rpartition('/')[2])


def link_images(folder: Path) -> None:
    (folder / '7' / 'images').rename(folder.parent / 'elsewhere')
    (folder / '7' / 'images').symlink_to(folder.parent / 'elsewhere')


def link_user(folder: Path) -> None:
    (folder / '7').rename(folder.parent / 'elsewhere')
    (folder / '7').symlink_to(folder.parent / 'elsewhere')


def make_folder(folder: Path) -> None:
    (folder / KEYS[0]).unlink()
    (folder / KEYS[0]).mkdir()


def make_pipe(folder: Path) -> None:
    (folder / KEYS[0]).unlink()
    os.mkfifo(folder / KEYS[0])


@pytest.mark.parametrize('lay', [link_file, link_to_nothing, link_images, link_user, make_folder, make_pipe])
def test_special_files_are_neither_located_nor_listed(
    store: FolderImageStore, folder: Path, lay: Callable[[Path], None]
) -> None:
    store.save(FILES)
    (folder.parent / 'secret').write_bytes(b'secret')

    lay(folder)

    assert store.locate(KEYS[0]) is None
    assert not store.exists(KEYS[0])
    assert KEYS[0] not in {file.key for file in store.list()}


def test_the_folder_itself_may_be_a_symlink(store: FolderImageStore, folder: Path) -> None:
    (folder.parent / 'disk').mkdir()
    folder.symlink_to(folder.parent / 'disk')

    store.save(FILES)

    assert store.locate(KEYS[0]) == folder / KEYS[0]
    assert {file.key for file in store.list()} == set(KEYS)


@pytest.mark.parametrize('key', ['../secret', '7/images/a.jpg', f'7/images/../../{DIGEST}.jpg'])
def test_foreign_keys_are_neither_saved_nor_deleted(store: FolderImageStore, folder: Path, key: str) -> None:
    file, = new_files(widths=())
    folder.mkdir()
    (folder.parent / 'secret').write_bytes(b'secret')

    with pytest.raises(ValueError):
        store.save([type(file)(key=key, content=b'x', media_type='image/jpeg')])
    with pytest.raises(ValueError):
        store.delete([key])

    assert (folder.parent / 'secret').read_bytes() == b'secret'
    assert not list(store.list())


# Listing files


def test_listing_ignores_files_that_vanish(store: FolderImageStore, folder: Path) -> None:
    store.save(FILES)
    store.save(new_files(user_id=8))
    listing = store.list()
    first = next(listing)

    shutil.rmtree(folder)

    assert first.key.startswith(('7/', '8/'))
    assert not list(listing)


def test_drafts_are_not_listed(store: FolderImageStore, folder: Path) -> None:
    store.save(FILES)
    (folder / INCOMING / 'draft').write_bytes(b'draft')
    (folder / INCOMING / 'images').mkdir()
    (folder / INCOMING / 'images' / 'draft').write_bytes(b'draft')

    assert {file.key for file in store.list()} == set(KEYS)


# Drafts


def test_a_save_leaves_no_draft(store: FolderImageStore, folder: Path) -> None:
    store.save(FILES)

    assert not list((folder / INCOMING).iterdir())


def test_stale_drafts_are_removed_after_an_hour(store: FolderImageStore, folder: Path) -> None:
    store.save(FILES)
    for name, age in (('old', STALE_AFTER + 60), ('new', STALE_AFTER - 60)):
        draft = folder / INCOMING / name
        draft.write_bytes(b'draft')
        os.utime(draft, (time.time() - age, ) * 2)
    # Failing to remove a draft is harmless.
    (folder / INCOMING / 'folder').mkdir()
    os.utime(folder / INCOMING / 'folder', (0, 0))

    store.save(FILES)

    assert {entry.name for entry in (folder / INCOMING).iterdir()} == {'new', 'folder'}


# In each child process, the system kills the save before a different file operation.
KILL_AT_EACH_STEP = '''
import json, os, signal, sys
from pathlib import Path
from talelio_backend.app_asset.data.stores.folder_store import FolderImageStore
from tests.support.image_files import new_files

def save_and_die(folder, left):

    def count_down(event, args):
        nonlocal left
        if event in ('open', 'os.mkdir', 'os.rename', 'os.remove') and str(args[0]).startswith(str(folder)):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count_down)
    FolderImageStore(folder, '').save(new_files())

statuses = []
while not statuses or statuses[-1] != 0:
    child = os.fork()
    if not child:
        save_and_die(Path(sys.argv[1], str(len(statuses))), len(statuses))
        os._exit(0)
    statuses.append(os.waitpid(child, 0)[1])
print(json.dumps(statuses))
'''


def test_a_save_survives_a_kill_at_any_step(tmp_path: Path) -> None:
    statuses = run(KILL_AT_EACH_STEP, tmp_path)

    assert len(statuses) > 10
    assert statuses == [signal.SIGKILL] * (len(statuses) - 1) + [0]
    drafts = 0
    for step in range(len(statuses)):
        store = FolderImageStore(tmp_path / str(step), '')
        stored = {file.key: (tmp_path / str(step) / file.key).read_bytes() for file in store.list()}
        assert stored.items() <= {file.key: file.content for file in FILES}.items()
        assert not store.exists(KEYS[0]) or len(stored) == len(FILES)
        drafts += sum(path.is_file() for path in (tmp_path / str(step)).glob(f'{INCOMING}/*'))
        store.save(FILES)
        assert [store.exists(key) for key in KEYS] == [True] * 3
    assert drafts


def test_acknowledged_changes_survive_a_power_failure(store: FolderImageStore) -> None:
    """Contents are synced before files are moved, and folders before the next step and the end."""
    steps: list[str] = []

    def note(_frame: object, event: str, function: Any) -> None:
        if event == 'c_call' and function in (os.fsync, os.replace, os.unlink):
            steps.append(function.__name__)

    store.save(new_files(b'so that the folders are there'))
    sys.setprofile(note)
    try:
        store.save(FILES)
        store.delete(KEYS[:1])
    finally:
        sys.setprofile(None)

    assert ' '.join(steps) == ' '.join((
        'fsync fsync fsync',
        'replace replace fsync fsync fsync',
        'replace fsync fsync fsync',
        # Ignore drafts that have been moved.
        'unlink unlink unlink',
        'unlink fsync',
    ))


# Faults of the file system


def namespace(folder: Path) -> tuple[str, ...]:
    """Return the command for running a program in its own mount namespace."""
    for way in (('unshare', '--mount'), ('unshare', '--map-root-user', '--mount')):
        trial = [*way, 'mount', '-t', 'tmpfs', 'tmpfs', folder]
        if subprocess.run(trial, capture_output=True, check=False).returncode == 0:
            return way
    return skip('no small disk that can be filled', 'run as root, or allow user namespaces')


FILL_DISK = '''
import json, subprocess, sys
from pathlib import Path
from talelio_backend.app_asset.data.stores.folder_store import INCOMING, FolderImageStore
from talelio_backend.shared.business.errors import Unavailable
from tests.support.image_files import keys_of, new_files

folder = Path(sys.argv[1])
subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', folder], check=True)
filler = folder / 'filler'
filler.write_bytes(bytes(256 * 1024))
store = FolderImageStore(folder, '')
answers = {}

def save(name, files):
    try:
        store.save(files)
        answers[name] = 'saved'
    except Unavailable as error:
        answers[name] = [error.message, type(error.__cause__).__name__]

small, large = new_files(), new_files(b'x' * 100_000)
save('small', small)
save('large', large)
answers['after'] = sorted(file.key for file in store.list()) == sorted(keys_of(small))
answers['drafts'] = len(list((folder / INCOMING).iterdir()))
save('small again', new_files(b'another'))
filler.unlink()
save('large again', large)
# Options of the mount only: an ordinary user may not change those of the file system.
subprocess.run(['mount', '-o', 'remount,bind,ro', folder], check=True)
save('read-only', small)
answers['still there'] = store.exists(small[0].key)
try:
    store.delete(keys_of(small))
except Unavailable as error:
    answers['delete'] = error.message
print(json.dumps(answers))
'''


def test_a_full_disk_refuses_new_files_and_keeps_existing_ones(tmp_path: Path) -> None:
    assert run(FILL_DISK, tmp_path, inside=namespace(tmp_path)) == {
        'small': 'saved',
        'large': ['There is no room for images just now', 'OSError'],
        'after': True,
        'drafts': 0,
        'small again': 'saved',
        'large again': 'saved',
        'read-only': ['The image storage does not work just now, please try again', 'OSError'],
        'still there': True,
        'delete': 'The image storage does not work just now, please try again',
    }


USE_CLOSED_FOLDER = '''
import json, sys
from pathlib import Path
from talelio_backend.app_asset.data.stores.folder_store import FolderImageStore
from talelio_backend.shared.business.errors import Unavailable
from tests.support.image_files import keys_of, new_files

store = FolderImageStore(Path(sys.argv[1]), '')
key = new_files()[0].key
answers = []
for call in (
    lambda: store.save(new_files()), lambda: store.delete([key]), lambda: store.exists(key),
    lambda: store.locate(key), lambda: list(store.list())
):
    try:
        answers.append(f'answered {call()}')
    except Unavailable as error:
        answers.append(error.message)
print(json.dumps(answers))
'''


def test_a_folder_without_permissions_makes_the_store_unavailable(
    store: FolderImageStore, folder: Path
) -> None:
    store.save(FILES)
    folder.chmod(0)
    # Permissions do not restrict root, except in a user namespace.
    inside = ('unshare', '--user') if os.geteuid() == 0 else ()
    if inside and subprocess.run([*inside, 'true'], capture_output=True, check=False).returncode != 0:
        skip('no folder that is closed to root', 'run as an ordinary user, or allow user namespaces')
    try:
        responses = run(USE_CLOSED_FOLDER, folder, inside=inside)
    finally:
        folder.chmod(0o755)

    assert responses == ['The image storage does not work just now, please try again'] * 5


def test_a_file_in_place_of_the_folder_makes_the_store_unavailable(
    store: FolderImageStore, folder: Path
) -> None:
    folder.write_bytes(b'')

    with pytest.raises(Unavailable, match='does not work') as raised:
        store.save(FILES)
    assert isinstance(raised.value.__cause__, OSError)
    assert str(folder) not in raised.value.message
    assert not store.exists(KEYS[0])
