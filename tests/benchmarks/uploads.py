"""Uploads of large pictures beside a bare Pillow script that does the same work, and their memory."""
import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.benchmarks.http_load import Script
from tests.benchmarks.pictures import largest, photograph, upload_of
from tests.benchmarks.processes import peak_memory
from tests.benchmarks.results import Case, Row, Sample, Spread, measure_in_rounds
from tests.benchmarks.rig import Rig

_AT_ONCE = 8
_SIDE = 5000
# Seconds; only what hangs waits so long.
_PATIENCE = 120.0

# Decode, turn upright, encode, five WebP variants.
_BARE = '''
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


def uploads(rig: Rig) -> list[Row]:
    file = rig.folder / 'photograph.jpg'
    file.write_bytes(photograph(1, rig.pace.picture))
    floor = Case('floor: a bare Pillow script, 12 megapixels', lambda: _bare(file))
    one = Case('one upload', lambda: _upload(rig, rig.uploads[:1]), floor)
    rows = measure_in_rounds('uploads', [floor, one], rig.pace.rounds)
    side = min(_SIDE, max(rig.pace.picture))
    pictures = [upload_of(rig.members[0], largest(number, side)) for number in range(_AT_ONCE)]
    with peak_memory(rig.service.pid) as peak:
        sample = _upload(rig, pictures)
    name = f'{_AT_ONCE} PNGs of 25 megapixels at once'
    return [
        *rows,
        Row(group='uploads', name=name, unit='/s', measured=Spread.of([sample.rate])),
        Row(
            group='uploads',
            name=f'memory, {name}: the peak',
            unit='MiB',
            measured=Spread.of([peak[0] / 2**20])
        ),
    ]


def _bare(file: Path) -> Sample:
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, '-c', _BARE, str(file)]) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    assert status == 0
    seconds = time.perf_counter() - began
    return Sample(rate=1 / seconds, server=usage.ru_utime + usage.ru_stime, requests=1, latencies=[seconds])


def _upload(rig: Rig, requests: list[bytes]) -> Sample:
    """Each picture once, all at the same time."""
    began = time.perf_counter()
    sample = rig.measure_scripts(rig.service, partial(_each_once, requests), seconds=_PATIENCE, warm_up=0.0)
    return replace(sample, rate=len(requests) / (time.perf_counter() - began))


def _each_once(requests: list[bytes]) -> list[Script]:
    return [_once(request) for request in requests]


def _once(request: bytes) -> Script:
    """Until it is taken: a busy machine lets so many wait too long."""
    status = 503
    while status == 503:
        status, body = yield 'upload', request
        assert status in (200, 503), (status, bytes(body[:500]))
