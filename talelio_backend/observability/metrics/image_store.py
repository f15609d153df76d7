from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from talelio_backend.app_asset.business.errors import StorageRefused
from talelio_backend.app_asset.business.ports import ImageStore, NewFile, StoredFile
from talelio_backend.observability.metrics.sharing import counter, histogram
from talelio_backend.shared.business.errors import BusinessError, Unavailable

_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class MeasuredImageStore:

    def __init__(self, store: ImageStore) -> None:
        self._store = store
        self._seconds = histogram(
            'talelio_storage_operation_duration_seconds',
            'Duration of operations of the image store, successful or not', ('operation', ),
            buckets=_SECONDS
        )
        self._errors = counter(
            'talelio_storage_errors', 'Failed operations of the image store, by kind of error',
            ('operation', 'kind')
        )
        for operation in ('save', 'delete', 'exists'):
            self._seconds.labels(operation)
            for kind in (Unavailable, StorageRefused):
                self._errors.labels(operation, kind.__name__)

    def save(self, files: Sequence[NewFile]) -> None:
        with self._measure('save'):
            self._store.save(files)

    def delete(self, keys: Sequence[str]) -> None:
        with self._measure('delete'):
            self._store.delete(keys)

    def exists(self, *keys: str) -> bool:
        with self._measure('exists'):
            return self._store.exists(*keys)

    def list(self) -> Iterator[StoredFile]:
        # Only used by a CLI command, which reports errors itself.
        return self._store.list()

    def url(self, key: str) -> str:
        return self._store.url(key)

    def __str__(self) -> str:
        return str(self._store)

    @contextmanager
    def _measure(self, operation: str) -> Iterator[None]:
        try:
            with self._seconds.labels(operation).time():
                yield
        except BusinessError as error:
            self._errors.labels(operation, type(error).__name__).inc()
            raise
