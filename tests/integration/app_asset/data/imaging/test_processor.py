import sys
from collections.abc import Iterator
from io import BytesIO
from random import Random
from threading import Event, Thread

import pytest
from PIL import Image

from talelio_backend.app_asset.business.errors import ImageTooLarge, InvalidImageType
from talelio_backend.app_asset.business.image import ImageKind, ProcessedImage
from talelio_backend.app_asset.business.ports import ImageProcessor
from talelio_backend.app_asset.data.imaging.colour import DISPLAY_P3
from talelio_backend.app_asset.data.imaging.processor import (
    SandboxedImageProcessor,
    image_bulkhead,
    image_worker,
)
from talelio_backend.app_asset.data.imaging.protocol import ImageLimits
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.workers.sandboxed_worker import SandboxedWorker
from tests.support import pictures
from tests.support.hostile_pictures import HOSTILE, SMALL, damaged
from tests.support.pictures import difference, opened, saved, scene
from tests.support.waiting import wait_until

MIB = 1024 * 1024
TINY = saved(scene(), 'JPEG')
FAILED = 'Processing an image failed'


@pytest.fixture(name='worker', scope='module')
def fixture_worker() -> Iterator[SandboxedWorker]:
    worker = image_worker(cpu_seconds=600, wall_seconds=6000)
    yield worker
    worker.close()


@pytest.fixture(name='processor', scope='module')
def fixture_processor(worker: SandboxedWorker) -> ImageProcessor:
    return SandboxedImageProcessor(worker)


@pytest.fixture(name='impatient_processor', scope='module')
def fixture_impatient_processor() -> Iterator[ImageProcessor]:
    """Limits the CPU time to a second, so that hostile images do not slow down the tests."""
    worker = image_worker(cpu_seconds=1, wall_seconds=600)
    yield SandboxedImageProcessor(worker)
    worker.close()


def outcome(processor: ImageProcessor, content: bytes) -> ProcessedImage | type[Exception]:
    try:
        return processor.prepare(BytesIO(content))
    except (ImageTooLarge, InvalidImageType) as error:
        return type(error)


def test_a_phone_photo_is_processed(processor: ImageProcessor) -> None:
    content = pictures.phone_jpeg(2800, 2100)
    prepared = processor.prepare(BytesIO(content))

    assert (prepared.kind, prepared.width, prepared.height) == (ImageKind.JPEG, 2100, 2800)
    assert [variant.width for variant in prepared.variants] == [320, 640, 960, 1280, 1920]
    for made in (prepared.content, *(variant.content for variant in prepared.variants)):
        image = opened(made)
        expected = opened(content).transpose(Image.Transpose.ROTATE_270).resize(image.size)
        assert difference(image, expected) < 3
        assert image.info['icc_profile'] == DISPLAY_P3
        assert pictures.SECRET not in made
    assert 0.9 < len(prepared.content) / len(content) < 1.1
    assert len(prepared.placeholder) <= 600


def test_an_avatar_is_processed(processor: ImageProcessor) -> None:
    prepared = processor.prepare_avatar(BytesIO(saved(scene(), 'PNG')))

    assert (prepared.kind, prepared.width, prepared.height) == (ImageKind.WEBP, 512, 512)
    assert prepared.variants == ()
    assert opened(prepared.content).size == (512, 512)


@pytest.mark.parametrize('kind', SMALL)
def test_every_kind_is_accepted(processor: ImageProcessor, kind: str) -> None:
    prepared = processor.prepare(BytesIO(SMALL[kind]()))

    assert opened(prepared.content).size == (prepared.width, prepared.height)


@pytest.mark.parametrize('kind', SMALL)
def test_a_damaged_image_is_processed_or_refused(
    processor: ImageProcessor, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    random = Random(kind)
    content = SMALL[kind]()
    outcomes = [outcome(processor, damaged(content, random)) for _ in range(100)]

    assert InvalidImageType in outcomes
    # Unexpected errors of the codec would be logged. pi_heif 1.4.0 is known to crash.
    assert set(caplog.messages) <= ({f'{FAILED}: Segmentation fault'} if 'HEIC' in kind else set())
    assert isinstance(outcome(processor, TINY), ProcessedImage)


# A truncated MPO or animated PNG may still contain its first image completely.
@pytest.mark.parametrize('kind', [kind for kind in SMALL if kind not in ('MPO', 'animated PNG')])
def test_a_truncated_image_is_refused(processor: ImageProcessor, kind: str) -> None:
    content = SMALL[kind]().removesuffix(pictures.ZIP)
    # Some kinds end with padding. A GIF may end before any frame.
    offsets = {*range(0, 40), *range(40, len(content) * 9 // 10, max(1, len(content) // 40))}
    outcomes = {outcome(processor, content[:offset]) for offset in offsets if content[offset] not in b'!,'}

    assert outcomes == {InvalidImageType}


@pytest.mark.parametrize('name', HOSTILE)
def test_a_hostile_image_is_processed_within_bounds_or_refused(
    impatient_processor: ImageProcessor, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    content = HOSTILE[name]()
    assert len(content) < ImageLimits.bytes
    made = outcome(impatient_processor, content)

    assert made in (ImageTooLarge, InvalidImageType) or isinstance(made, ProcessedImage)
    assert caplog.messages == []
    # On a slow machine, a good image may exceed the CPU time of this processor.
    wait_until(
        lambda: isinstance(outcome(impatient_processor, TINY), ProcessedImage), 'a good image is processed'
    )


@pytest.mark.parametrize('name', ['JPEG of many scans', 'PNG of 400 megapixels'])
def test_an_image_that_exceeds_the_cpu_time_is_refused(
    impatient_processor: ImageProcessor, name: str
) -> None:
    assert outcome(impatient_processor, HOSTILE[name]()) is ImageTooLarge


@pytest.mark.skipif(sys.platform == 'darwin', reason='no limit of memory on macOS: run on Linux')
def test_memory_is_bounded() -> None:
    worker = image_worker(memory_bytes=64 * MIB, wall_seconds=600)
    try:
        assert outcome(
            SandboxedImageProcessor(worker), saved(Image.new('RGB', (5000, 5000)), 'PNG')
        ) is ImageTooLarge
        assert isinstance(outcome(SandboxedImageProcessor(worker), TINY), ProcessedImage)
    finally:
        worker.close()


def child_of(worker: SandboxedWorker) -> int:
    child = worker._child  # pylint: disable=protected-access
    assert child
    return child._process.pid  # pylint: disable=protected-access


class Upload(BytesIO):
    """Records how many bytes were requested."""

    asked = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.asked += size or -1
        return super().read(size)


@pytest.mark.parametrize('task', ['prepare', 'prepare_avatar'])
def test_reading_stops_at_the_size_limit(worker: SandboxedWorker, task: str) -> None:
    limit = len(TINY)
    processor = SandboxedImageProcessor(worker, ImageLimits(bytes=limit))
    getattr(processor, task)(BytesIO(TINY))
    upload = Upload(TINY + b'a')

    with pytest.raises(ImageTooLarge) as caught:
        getattr(processor, task)(upload)
    assert caught.value.reason == f'{limit + 1:,} bytes, at most {limit:,} are taken'
    assert upload.asked == limit + 1


@pytest.mark.parametrize(('content', 'largest'), [
    (TINY, {'pixels': 96 * 64}),
    (saved(scene(), 'WEBP'), {'pixels': 96 * 64}),
    (saved(scene(), 'AVIF'), {'pixels': 96 * 64}),
    (pictures.HEIC, {'pixels': 96 * 64}),
    (pictures.animated('GIF'), {'frames': 3}),
    (pictures.animated('WEBP'), {'frames': 3}),
    (pictures.animated('GIF'), {'summed_pixels': 3 * 60 * 40}),
    (pictures.animated('WEBP'), {'summed_pixels': 3 * 60 * 40}),
])  # yapf: disable
def test_limits(worker: SandboxedWorker, content: bytes, largest: dict[str, int]) -> None:
    smaller = {name: number - 1 for name, number in largest.items()}

    within = SandboxedImageProcessor(worker, ImageLimits(**largest))
    assert isinstance(outcome(within, content), ProcessedImage)
    beyond = SandboxedImageProcessor(worker, ImageLimits(**smaller))
    assert outcome(beyond, content) is ImageTooLarge


def test_an_avatar_may_have_more_pixels_than_its_source(worker: SandboxedWorker) -> None:
    processor = SandboxedImageProcessor(worker, ImageLimits(pixels=96 * 64))

    assert processor.prepare_avatar(BytesIO(TINY)).width == 512


def test_waiting_uploads_are_not_read_and_excess_ones_are_refused(worker: SandboxedWorker) -> None:
    processor = SandboxedImageProcessor(worker, bulkhead=image_bulkhead(waiting=1, timeout=0.05))
    reading, go_on = Event(), Event()

    class Slow(BytesIO):

        def read(self, size: int | None = -1, /) -> bytes:
            reading.set()
            go_on.wait()
            return super().read(size)

    thread = Thread(target=lambda: processor.prepare(Slow(TINY)))
    thread.start()
    reading.wait()
    upload = Upload(TINY)
    try:
        with pytest.raises(Unavailable):
            processor.prepare(upload)
    finally:
        go_on.set()
        thread.join()
    assert upload.asked == 0


@pytest.fixture(name='processor_by')
def fixture_processor_by(request: pytest.FixtureRequest) -> Iterator[ImageProcessor]:
    """Run a function of the tests in the worker instead of the codec."""
    worker = SandboxedWorker(
        f'tests.support.worker_functions:{request.param}',
        cpu_seconds=60,
        memory_bytes=64 * MIB,
        wall_seconds=600
    )
    yield SandboxedImageProcessor(worker)
    worker.close()


@pytest.mark.parametrize(('processor_by', 'reason'), [
    ('fail', 'LookupError'),
    ('crash', 'Segmentation fault'),
    ('echo', 'malformed reply from the codec'),
], indirect=['processor_by'])  # yapf: disable
def test_a_codec_failure_is_logged_without_the_image(
    processor_by: ImageProcessor, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidImageType):
        processor_by.prepare(BytesIO(b'private'))

    assert caplog.messages == [f'{FAILED}: {reason}']


@pytest.mark.parametrize('processor_by', ['be_killed'], indirect=True)
def test_a_killed_worker_does_not_refuse_the_image(processor_by: ImageProcessor) -> None:
    with pytest.raises(Unavailable, match='^The picture could not be processed just now, please try again$'):
        processor_by.prepare(BytesIO(TINY))


def test_a_child_with_a_malformed_reply_is_replaced() -> None:
    worker = SandboxedWorker(
        'tests.support.worker_functions:echo', cpu_seconds=60, memory_bytes=64 * MIB, wall_seconds=600
    )
    worker.call(b'')
    before = child_of(worker)
    outcome(SandboxedImageProcessor(worker), TINY)
    worker.call(b'')

    assert child_of(worker) != before
    worker.close()
