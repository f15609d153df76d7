from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from talelio_backend.app_asset.business.ports import NewFile, StoredFile
from talelio_backend.shared.business.errors import BusinessError, Unavailable


class FakeImageStore:
    """Keeps files in memory."""

    def __init__(self) -> None:
        self.files: dict[str, NewFile] = {}
        # What the files of the next saves are said to be from.
        self.now = datetime(2026, 3, 1, 12, 30, 59, tzinfo=UTC)
        # Of each save, at which file in the order of storing it fails: 1 for the first that is stored.
        self.fail_at: int | None = None
        self.fails_to_delete = False
        self.failure: BusinessError = Unavailable('The image storage does not work just now')
        self._modified_at: dict[str, datetime] = {}

    def save(self, files: Sequence[NewFile]) -> None:
        for number, file in enumerate([*files[1:], *files[:1]], start=1):
            if number == self.fail_at:
                raise self.failure
            self.files[file.key] = file
            self._modified_at[file.key] = self.now

    def delete(self, keys: Sequence[str]) -> None:
        if self.fails_to_delete:
            raise self.failure
        for key in keys:
            self.files.pop(key, None)

    def exists(self, *keys: str) -> bool:
        return all(key in self.files for key in keys)

    def list(self) -> Iterator[StoredFile]:
        for key, file in list(self.files.items()):
            yield StoredFile(key=key, size=len(file.content), modified_at=self._modified_at[key])

    def url(self, key: str) -> str:
        return f'https://images.test/{key}'
