"""Two requests about the same picture, brought to the moments at which one could undo the other."""
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO

import pytest
from sqlalchemy import Engine

from talelio_backend.app_asset.business import services
from talelio_backend.app_asset.business.errors import InvalidImageType
from talelio_backend.app_asset.business.image import Image
from talelio_backend.app_asset.business.ports import NewFile
from talelio_backend.bootstrap import UnitOfWork
from talelio_backend.shared.business.errors import Unavailable
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.business.page import PageRequest
from tests.fakes.images import FakeImageStore
from tests.fakes.ports import FakeImageProcessor
from tests.support.backings import RealBacking, committed_account
from tests.support.engines import scalar
from tests.support.samples import NOW
from tests.support.waiting import PATIENCE, wait_until


class PausingStore(FakeImageStore):
    """Stops in one method until it is told to go on."""

    def __init__(self, pause_in: str) -> None:
        super().__init__()
        self._pause_in = pause_in
        self.arrived = threading.Event()
        self.go_on = threading.Event()

    def exists(self, *keys: str) -> bool:
        there = super().exists(*keys)
        self._pause('exists')
        return there

    def delete(self, keys: Sequence[str]) -> None:
        self._pause('delete')
        super().delete(keys)

    def save(self, files: Sequence[NewFile]) -> None:
        # As the real ones do: the first one last.
        super().save(files[1:])
        self._pause('save')
        super().save(files[:1])

    def _pause(self, where: str) -> None:
        if where == self._pause_in and not self.arrived.is_set():
            self.arrived.set()
            assert self.go_on.wait(PATIENCE)


class Requests:
    """Calls of the services in threads of their own, by one owner."""

    def __init__(self, engine: Engine, store: PausingStore, pool: ThreadPoolExecutor) -> None:
        scalar(engine, 'DELETE FROM accounts')
        self._engine = engine
        self._pool = pool
        self._owner = Identity(committed_account(RealBacking(engine)).id)
        self.store = store

    def upload(self, *contents: bytes) -> Future[list[Image]]:
        return self._pool.submit(
            services.upload, self._unit_of_work(), FakeImageProcessor(), self.store, self._owner,
            [BytesIO(content) for content in contents], NOW
        )

    def delete(self, image: Image) -> Future[None]:
        return self._pool.submit(
            services.delete_own, self._unit_of_work(), self.store, self._owner, image.id, NOW
        )

    def listed(self) -> list[Image]:
        return services.list_own(self._unit_of_work(), self._owner, PageRequest(limit=100)).items

    def wait_for_the_lock(self) -> None:
        query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_until(lambda: scalar(self._engine, query), 'somebody waits for the lock')

    def _unit_of_work(self) -> UnitOfWork:
        return UnitOfWork(self._engine)


def test_a_claim_waits_for_a_taking_back_and_then_sees_it(shared_engine: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, PausingStore('delete'), pool)
        failing = requests.upload(b'same', b'invalid')
        assert requests.store.arrived.wait(PATIENCE)
        succeeding = requests.upload(b'same')
        requests.wait_for_the_lock()
        requests.store.go_on.set()

        with pytest.raises(InvalidImageType):
            failing.result()
        with pytest.raises(Unavailable):
            succeeding.result()

    assert requests.listed() == []
    assert not requests.store.files


def test_a_taking_back_waits_for_a_claim_and_then_keeps_its_hands_off(shared_engine: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, PausingStore('exists'), pool)
        succeeding = requests.upload(b'same')
        assert requests.store.arrived.wait(PATIENCE)
        failing = requests.upload(b'same', b'invalid')
        requests.wait_for_the_lock()
        requests.store.go_on.set()

        image, = succeeding.result()
        with pytest.raises(InvalidImageType):
            failing.result()

    assert [listed.id for listed in requests.listed()] == [image.id]
    assert set(requests.store.files) == set(image.keys)


def test_a_picture_sent_again_during_its_deletion_is_not_claimed_without_its_file(
    shared_engine: Engine
) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, PausingStore('delete'), pool)
        image, = requests.upload(b'same').result()
        deletion = requests.delete(image)
        assert requests.store.arrived.wait(PATIENCE)
        again = requests.upload(b'same')
        requests.wait_for_the_lock()
        requests.store.go_on.set()

        deletion.result()
        with pytest.raises(Unavailable):
            again.result()

    assert requests.listed() == []
    assert not requests.store.files


def test_a_picture_that_lost_its_variants_while_it_was_stored_is_not_claimed(shared_engine: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        requests = Requests(shared_engine, PausingStore('save'), pool)
        succeeding = requests.upload(b'same')
        assert requests.store.arrived.wait(PATIENCE)
        with pytest.raises(InvalidImageType):
            requests.upload(b'same', b'invalid').result()
        requests.store.go_on.set()

        with pytest.raises(Unavailable):
            succeeding.result()

    assert requests.listed() == []
    assert not requests.store.files
