"""How long an upload of a 12-megapixel photograph takes, and what memory, beside a bare Pillow script.

Both do the same work on the same file in the same run: decode, turn upright, encode, five WebP variants.
The figures are medians of the rounds; memory is the peak of the sum of all processes' shares (PSS).
"""
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

from alembic import command
from alembic.config import Config
from PIL import Image, ImageFilter

from talelio_backend.config import PROJECT_FOLDER
from talelio_backend.shared.data.embedded_postgres import EmbeddedPostgres
from tests.benchmarks.processes import memory_of
from tests.support.answers import ok
from tests.support.members import WHITELIST, Member, join
from tests.support.served_api import ServedApi

# Seconds, and bytes of memory.
Measured = tuple[float, int]

ROUNDS = 5
AT_ONCE = 8
# Seconds that a client waits for its answer.
PATIENCE = 120
# Portrait as a phone stores it: landscape, with a note to turn it (orientation 6).
SIZE = (4032, 3024)
UPRIGHT = SIZE[::-1]
SQUARE = (5000, 5000)
ORIENTATION_TAG = 0x0112

BARE = '''
import sys
from io import BytesIO
from PIL import Image, ImageOps
original = Image.open(sys.argv[1])
tables = original.quantization
image = ImageOps.exif_transpose(original)
image.save(BytesIO(), 'JPEG', qtables=tables, subsampling=2)
for width in 1920, 1280, 960, 640, 320:
    height = round(width * image.height / image.width)
    image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    image.save(BytesIO(), 'WEBP', quality=80)
'''


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        photograph = Path(folder) / 'photograph.jpg'
        photograph.write_bytes(_photograph(1))
        bare = [_measure_bare(photograph) for _ in range(ROUNDS)]
        with EmbeddedPostgres(Path(folder) / 'postgres', durable=False) as url:
            config = Config(PROJECT_FOLDER / 'alembic.ini')
            config.attributes['database_url'] = url
            command.upgrade(config, 'head')
            environ = {'WHITELISTED_EMAILS': ','.join(WHITELIST), 'IMAGE_FOLDER': f'{folder}/images'}
            with ServedApi(Path(folder), url, environ) as api:
                _report(api, join(api), photograph, bare)


def _report(api: ServedApi, member: Member, photograph: Path, bare: list[Measured]) -> None:
    idle = memory_of(api.pid)
    # The first one starts the process that decodes.
    _upload(api, member, photograph.read_bytes())
    photographs = [_photograph(number) for number in range(2, 2 + AT_ONCE)]
    largest = [_largest(number) for number in range(AT_ONCE)]
    rows: list[tuple[str, list[Measured], int]] = [
        ('a bare Pillow script', bare, 1),
        (
            'one upload',
            [_measure(api, lambda: _upload(api, member, photograph.read_bytes())) for _ in range(ROUNDS)],
            1,
        ),
        (
            f'{AT_ONCE} uploads at once',
            [_measure(api, lambda: _upload_at_once(api, member, photographs))],
            AT_ONCE,
        ),
        (
            f'{AT_ONCE} PNGs of 25 megapixels at once',
            [_measure(api, lambda: _upload_at_once(api, member, largest, SQUARE))],
            AT_ONCE,
        ),
    ]
    floor = statistics.median(seconds for seconds, _ in bare)
    print(f'{"":38}{"seconds":>22}{"of bare":>9}{"peak MB":>9}')
    for name, measured, number in rows:
        seconds = [seconds for seconds, _ in measured]
        spread = f'{statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})'
        ratio = statistics.median(seconds) / number / floor
        memory = max(memory for _, memory in measured)
        print(f'{name:38}{spread:>22}{ratio:>9.2f}{memory / 1e6:>9.0f}')
    print(f'All server processes together, idle: {idle / 1e6:.0f} MB')
    print(f'Sizes: photograph {len(photographs[0]) / 1e6:.1f} MB, PNG {len(largest[0]) / 1e6:.1f} MB')


def _photograph(seed: int) -> bytes:
    """Something with as much detail as a photograph: some 4 MB at this size."""
    dice = random.Random(seed)
    small = Image.frombytes('RGB', (504, 378),
                            dice.randbytes(504 * 378 * 3)).filter(ImageFilter.GaussianBlur(2))
    grain = Image.effect_noise(SIZE, 12).convert('RGB')
    image = Image.blend(small.resize(SIZE, Image.Resampling.BICUBIC), grain, 0.25)
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6
    file = BytesIO()
    image.save(file, 'JPEG', quality=92, exif=exif)
    return file.getvalue()


def _largest(seed: int) -> bytes:
    """As many pixels as are taken, of the mode that needs the most memory."""
    gradient = Image.linear_gradient('L').resize(SQUARE)
    # About as much as 10 MiB hold.
    grain = Image.effect_noise(SQUARE, 0.2)
    alpha = Image.radial_gradient('L').resize(SQUARE)
    image = Image.merge('RGBA', (grain, gradient, gradient, alpha))
    image.putpixel((0, 0), (seed, 0, 0, 255))
    file = BytesIO()
    image.save(file, 'PNG', compress_level=4)
    return file.getvalue()


def _measure_bare(photograph: Path) -> Measured:
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, '-c', BARE, str(photograph)]) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    assert status == 0
    return time.perf_counter() - began, usage.ru_maxrss * 1024


def _measure(api: ServedApi, work: Callable[[], None]) -> Measured:
    with _peak_memory(api.pid) as peak:
        began = time.perf_counter()
        work()
        seconds = time.perf_counter() - began
    return seconds, peak[0]


def _upload(api: ServedApi, member: Member, content: bytes, size: tuple[int, int] = UPRIGHT) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = api.request(
            'POST',
            '/v1/assets/images',
            files={'photograph': content},
            headers=member.bearer,
            timeout=PATIENCE
        )
        if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
            break
        # Too many at once for a busy machine: a client comes back when it is told to.
        time.sleep(int(answer.headers['Retry-After']))
    image = ok(answer)['images'][0]
    assert (image['width'], image['height'], len(image['variants'])) == (*size, 5)


def _upload_at_once(
    api: ServedApi, member: Member, contents: list[bytes], size: tuple[int, int] = UPRIGHT
) -> None:
    with ThreadPoolExecutor(len(contents)) as threads:
        for upload in [threads.submit(_upload, api, member, content, size) for content in contents]:
            upload.result()


@contextmanager
def _peak_memory(pid: int) -> Iterator[list[int]]:
    """Yield a list whose one number is the peak, in bytes, when the block is left."""
    peak = [0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], memory_of(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


if __name__ == '__main__':
    main()
