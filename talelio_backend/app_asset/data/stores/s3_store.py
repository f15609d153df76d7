import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError

from talelio_backend.app_asset.business.ports import NewFile, StoredFile
from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.app_asset.data.stores.s3_errors import S3_FAILURES, business_error
from talelio_backend.shared.workers.bounded_calls import BoundedCalls, Overdue

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

T = TypeVar('T')

# The content of a key never changes.
CACHE_CONTROL = 'public, max-age=31536000, immutable'

# The number of concurrent calls to S3 per process.
_CONCURRENCY = 32


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of calls to S3. Times are in seconds."""

    # For connecting, and for each block of an upload.
    connect_timeout: float = 2
    # For each part of a response.
    read_timeout: float = 5
    # Of each request, including the first.
    attempts: int = 2
    # For all requests of a save.
    save_deadline: float = 12
    # For any other call, or a page of a list. Short, because a failed upload deletes its files under a lock.
    deadline: float = 5
    # The number of files in a page of a list.
    page_length: int = 1000


class S3ImageStore:
    """See `app_asset.business.ports.ImageStore`. boto3 finds the credentials, such as the role of a task."""

    def __init__(self, bucket: S3Bucket, *, limits: Limits | None = None) -> None:
        self._bucket = bucket
        self._limits = limits or Limits()
        self._calls = BoundedCalls(_CONCURRENCY)
        self._thread = threading.local()
        self._lock = threading.Lock()
        self._cached_client: 'S3Client | None' = None

    def __str__(self) -> str:
        return f'the bucket {self._bucket.name}'

    def save(self, files: Sequence[NewFile]) -> None:
        deadline = time.monotonic() + self._limits.save_deadline
        with ExitStack() as bodies:
            # Closing the bodies aborts overdue uploads and frees their memory.
            puts = [
                partial(self._put, file.key, file.media_type, bodies.enter_context(BytesIO(file.content)))
                for file in files
            ]
            self._run('PutObject', puts[1:], deadline)
            self._run('PutObject', puts[:1], deadline)

    def delete(self, keys: Sequence[str]) -> None:
        deadline = self._deadline()
        deletes = [partial(self._delete, key) for key in keys]
        self._run('DeleteObject', deletes[:1], deadline)
        self._run('DeleteObject', deletes[1:], deadline)

    def exists(self, *keys: str) -> bool:
        return all(self._run('HeadObject', [partial(self._exists, key) for key in keys], self._deadline()))

    def list(self) -> Iterator[StoredFile]:
        pages = iter(
            self._run_one('ListObjectsV2', self._client).get_paginator('list_objects_v2').paginate(
                Bucket=self._bucket.name, PaginationConfig={'PageSize': self._limits.page_length}
            )
        )
        while page := self._run_one('ListObjectsV2', partial(next, pages, None)):
            for item in page.get('Contents', ()):
                yield StoredFile(
                    key=item['Key'], size=item['Size'], modified_at=item['LastModified'].astimezone(UTC)
                )

    def url(self, key: str) -> str:
        return self._bucket.url(key)

    def _put(self, key: str, media_type: str, body: BytesIO) -> None:
        self._client().put_object(
            Bucket=self._bucket.name,
            Key=key,
            Body=body,
            ContentType=media_type,
            CacheControl=CACHE_CONTROL,
            ContentDisposition='inline',
        )

    def _delete(self, key: str) -> None:
        self._client().delete_object(Bucket=self._bucket.name, Key=key)

    def _exists(self, key: str) -> bool:
        try:
            self._client().head_object(Bucket=self._bucket.name, Key=key)
        except ClientError as error:
            if error.response['ResponseMetadata']['HTTPStatusCode'] == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def _deadline(self) -> float:
        return time.monotonic() + self._limits.deadline

    def _run_one(self, operation: str, call: Callable[[], T]) -> T:
        result, = self._run(operation, [call], self._deadline())
        return result

    def _run(self, operation: str, calls: Sequence[Callable[[], T]], deadline: float) -> Sequence[T]:
        try:
            return self._calls.run([partial(self._within, deadline, call) for call in calls], deadline)
        except (Overdue, *S3_FAILURES) as error:
            raise business_error(operation, error) from None

    def _within(self, deadline: float, call: Callable[[], T]) -> T:
        self._thread.deadline = deadline
        return call()

    def _refuse_if_overdue(self, **_: object) -> None:
        # A late retry of an overdue call could delete a file that has been stored since.
        if time.monotonic() > self._thread.deadline:
            raise Overdue

    def _client(self) -> 'S3Client':
        # Created lazily, so that the server starts without credentials. A client without credentials would
        # never look for them again, so creating one fails.
        with self._lock:
            if self._cached_client is None:
                self._cached_client = self._make_client()
            return self._cached_client

    def _make_client(self) -> 'S3Client':
        core = botocore.session.get_session()
        # On EC2, an attempt takes at most a second. On ECS, fetching credentials takes up to nine seconds; if
        # the call is overdue by then, the next one uses the client.
        core.set_config_variable('metadata_service_timeout', 1)
        core.set_config_variable('metadata_service_num_attempts', 2)
        session = boto3.session.Session(botocore_session=core)
        if session.get_credentials() is None:
            raise NoCredentialsError()
        client: 'S3Client' = session.client(
            's3',
            region_name=self._bucket.region,
            endpoint_url=self._bucket.endpoint_url,
            config=Config(
                connect_timeout=self._limits.connect_timeout,
                read_timeout=self._limits.read_timeout,
                retries={
                    'total_max_attempts': self._limits.attempts,
                    'mode': 'standard'
                },
                max_pool_connections=_CONCURRENCY,
                # Few S3-compatible services have a host name for each bucket, and some do not support
                # trailing checksums.
                s3={'addressing_style': 'path' if self._bucket.endpoint_url else 'auto'},
                request_checksum_calculation='when_required'
                if self._bucket.endpoint_url else 'when_supported',
            ),
        )
        client.meta.events.register_first('before-send.s3', self._refuse_if_overdue)
        return client
