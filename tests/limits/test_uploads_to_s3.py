"""How long an upload to a slow S3 server may take, compared with the time-out of each block of it."""
import time
from dataclasses import replace

import pytest

from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.app_asset.data.stores.s3_store import S3ImageStore
from tests.limits.ratios import median_ratio
from tests.support.image_files import new_files
from tests.support.s3_servers import AWS_ENVIRON, PATIENT
from tests.support.scripted_s3 import Answer, ScriptedS3


def test_an_upload_may_take_longer_than_the_time_out_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in AWS_ENVIRON.items():
        monkeypatch.setenv(name, value)
    file, = new_files(b'x' * 12_000_000, widths=())
    limits = replace(PATIENT, connect_timeout=0.5)

    def measure() -> tuple[float, float]:
        with ScriptedS3(lambda _: Answer(), slow=0.05) as server:
            store = S3ImageStore(S3Bucket(name='bucket', endpoint_url=server.url), limits=limits)
            began = time.monotonic()
            store.save([file])
            assert server.seen[-1].received == len(file.content)
            return time.monotonic() - began, limits.connect_timeout

    assert median_ratio(measure, rounds=3) > 2
