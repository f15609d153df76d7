import logging
from dataclasses import dataclass, field
from functools import partial
from io import SEEK_END
from typing import BinaryIO

from talelio_backend.app_asset.business.errors import DAMAGED, ImageTooLarge, InvalidImageType
from talelio_backend.app_asset.business.image import AVATAR_WIDTH, ProcessedImage
from talelio_backend.app_asset.data.imaging.protocol import (
    ImageLimits,
    MalformedReply,
    pack_request,
    unpack_reply,
)
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.workers.bulkhead import Bulkhead
from talelio_backend.shared.workers.sandboxed_worker import (
    LimitExceeded,
    SandboxedWorker,
    WorkerBusy,
    WorkerFailed,
)

_logger = logging.getLogger(__name__)

# Measured: images of 25 megapixels take up to 5 s and 325 MB, of which an idle child holds 24. The limit is
# on the address space, which reaches 390 MB for an AVIF of 10 megapixels. Animations of 100 megapixels in all
# take 1 s (GIF), 9 s (WebP) or 18 s (lossless WebP). A phone's photo of 12 megapixels takes 1.2 s and 125 MB.
image_worker = partial(
    SandboxedWorker,
    'talelio_backend.app_asset.data.imaging.image_codec:run',
    cpu_seconds=40.0,
    memory_bytes=384 * 1024 * 1024,
    wall_seconds=120.0,
)

# One picture at a time; others wait up to a minute.
image_bulkhead = partial(Bulkhead, 'pictures to process', at_once=1, waiting=7, timeout=60.0)


@dataclass(frozen=True)
class SandboxedImageProcessor:
    worker: SandboxedWorker
    limits: ImageLimits = ImageLimits()
    bulkhead: Bulkhead = field(default_factory=image_bulkhead)

    def prepare(self, file: BinaryIO, account_id: int | None = None) -> ProcessedImage:
        return self._run('prepare', file, account_id)

    def prepare_avatar(self, file: BinaryIO, account_id: int | None = None) -> ProcessedImage:
        return self._run('prepare_avatar', file, account_id)

    def _run(self, task: str, file: BinaryIO, account_id: int | None) -> ProcessedImage:
        try:
            with self.bulkhead.slot(account_id):
                # Waiting uploads hold no memory, because a file is read only once its slot is free.
                content = file.read(self.limits.bytes + 1)
                if len(content) > self.limits.bytes:
                    raise ImageTooLarge.over(file.seek(0, SEEK_END), self.limits.bytes, 'bytes')
                response = self.worker.call(pack_request(task, content, self.limits))
                return unpack_reply(response, pixels=max(self.limits.pixels, AVATAR_WIDTH**2))
        except LimitExceeded:
            raise ImageTooLarge from None
        except WorkerBusy:
            raise Unavailable('The picture could not be processed just now, please try again') from None
        except WorkerFailed as error:
            # The same image would fail again, so the client must not retry.
            _logger.warning('Processing an image failed: %s', error)
            raise InvalidImageType(DAMAGED) from None
        except MalformedReply:
            self.worker.close()
            _logger.warning('Processing an image failed: malformed reply from the codec')
            raise InvalidImageType(DAMAGED) from None
