"""Requests about one owner's pictures, brought to the moments at which one could undo the other."""
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from sqlalchemy import Engine

from talelio_backend.app_asset.business import avatar, services
from talelio_backend.app_asset.business.image import Image
from talelio_backend.app_asset.business.ports import NewFile
from talelio_backend.app_user.business.services import show_own
from talelio_backend.app_user.business.user import User
from talelio_backend.bootstrap import UnitOfWork
from talelio_backend.shared.business.identity import Identity
from talelio_backend.shared.business.pagination import PageRequest
from tests.fakes.images import FakeImageStore
from tests.fakes.ports import FakeImageProcessor
from tests.support.backings import RealBacking, committed_account
from tests.support.engines import scalar, wait_for_waiters
from tests.support.image_files import uploaded
from tests.support.samples import NOW
from tests.support.waiting import PATIENCE


class Pause:
    """Stops whoever comes first to the place, until it is told to go on."""

    def __init__(self, place: str | None = None) -> None:
        self.place = place
        self.arrived = threading.Event()
        self.go_on = threading.Event()

    def at(self, place: str) -> None:
        if place == self.place and not self.arrived.is_set():
            self.arrived.set()
            assert self.go_on.wait(PATIENCE)


class PausingStore(FakeImageStore):

    def __init__(self, pause: Pause) -> None:
        super().__init__()
        self._pause = pause

    def exists(self, *keys: str) -> bool:
        there = super().exists(*keys)
        self._pause.at('exists')
        return there

    def delete(self, keys: Sequence[str]) -> None:
        self._pause.at('delete')
        super().delete(keys)

    def save(self, files: Sequence[NewFile]) -> None:
        # As the real ones do: the first one last.
        super().save(files[1:])
        self._pause.at('save')
        super().save(files[:1])


class PausingUnitOfWork(UnitOfWork):

    def __init__(self, engine: Engine, pause: Pause) -> None:
        super().__init__(engine)
        self._pause = pause

    def commit(self, result: object = None) -> None:
        self._pause.at('commit')
        super().commit(result)


class Requests:
    """Calls of the services in threads of their own, by one owner."""

    def __init__(self, engine: Engine, pause: Pause, pool: ThreadPoolExecutor) -> None:
        scalar(engine, 'DELETE FROM accounts')
        self._engine = engine
        self._pool = pool
        self._owner = Identity(committed_account(RealBacking(engine)).id)
        self.pause = pause
        self.store = PausingStore(pause)

    def upload(self, *contents: bytes) -> Future[list[Image]]:
        return self._pool.submit(
            services.upload, self._unit_of_work(), FakeImageProcessor(), self.store, self._owner,
            [uploaded(content) for content in contents], NOW
        )

    def delete(self, image: Image) -> Future[None]:
        return self._pool.submit(
            services.delete_own, self._unit_of_work(), self.store, self._owner, image.id, NOW
        )

    def listed(self) -> list[Image]:
        return services.list_own(self._unit_of_work(), self._owner, PageRequest(limit=100)).items

    def set_avatar(self, content: bytes) -> Future[User]:
        return self._pool.submit(
            avatar.set_avatar, self._unit_of_work(), FakeImageProcessor(), self.store, self._owner,
            uploaded(content), NOW
        )

    def reset_avatar(self) -> Future[User]:
        return self._pool.submit(avatar.reset_avatar, self._unit_of_work(), self.store, self._owner, NOW)

    def avatar_url(self) -> str:
        return avatar.avatar_url(self.store, show_own(self._unit_of_work(), self._owner))

    def wait_for_the_lock(self) -> None:
        wait_for_waiters(self._engine)

    def _unit_of_work(self) -> UnitOfWork:
        return PausingUnitOfWork(self._engine, self.pause)
