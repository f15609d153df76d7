from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.errors import EmailTaken
from talelio_backend.app_asset.business.image import Image, avatar_key
from talelio_backend.app_user.business.errors import AccountGone, UsernameTaken
from talelio_backend.app_user.business.user import User
from talelio_backend.shared.business.pagination import Page, PageRequest
from talelio_backend.shared.idempotency.business.claims import IdempotencyClaim
from talelio_backend.shared.mail.business.outbox import MailStatus, OutboxMail, OutboxTally
from tests.fakes.change_log import FakeChangeLog, record
from tests.fakes.columns import check_columns
from tests.fakes.guards import FakeAuditTrail, FakeCounterRepository, FakeWhitelist
from tests.fakes.project_repository import FakeProjectRepository
from tests.fakes.project_views import FakeProjectViews
from tests.fakes.public_projects import FakePublicProjects
from tests.fakes.repository import FakeRepository
from tests.fakes.revision_repository import FakeRevisionRepository
from tests.fakes.sessions import FakeEmailChangeRepository, FakeSessionRepository
from tests.fakes.store import Store, newest_first


class FakeUnitOfWork:
    """Of what only reads too, see `shared.business.unit_of_work`."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or Store()
        self.commits = 0
        self._keep: Callable[[Any], None] | None = None

    def __enter__(self) -> Self:
        self._begin()
        return self

    def _begin(self) -> None:
        self._seen, self._work = _copy(self.store), _copy(self.store)
        self.accounts = FakeAccountRepository(self._work)
        self.sessions = FakeSessionRepository(self._work)
        self.whitelist = FakeWhitelist(self._work)
        self.email_changes = FakeEmailChangeRepository(self._work)
        self.users = FakeUserRepository(self._work)
        self.projects = FakeProjectRepository(self._work)
        self.project_views = FakeProjectViews(self._work)
        self.public_projects = FakePublicProjects(self._work)
        self.user_ids = FakeUserIds(self._work)
        self.revisions = FakeRevisionRepository(self._work)
        self.images = FakeImageRepository(self._work)
        self.outbox = FakeOutbox(self._work)
        self.idempotency_claims = FakeIdempotencyClaims(self._work)
        self.audit = FakeAuditTrail(self._work)
        self.counters = FakeCounterRepository(self._work)
        self.changes = FakeChangeLog(self.store)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # What was not committed is lost.
        self._begin()

    def before_commit(self, keep: Callable[[Any], None]) -> None:
        self._keep = keep

    def commit(self, result: object = None) -> None:
        if self._keep is not None and result is not None:
            self._keep(result)
        self.commits += 1
        # What others committed meanwhile stays, so only changes are written.
        changes = [(stored, _changed(seen, work), seen.keys() - work.keys())
                   for stored, seen, work in zip(self.store.tables, self._seen.tables, self._work.tables)]
        for _, changed, _ in changes:
            for row in changed.values():
                check_columns(row)
        for stored, changed, gone in changes:
            stored.update({id_: _copy(row) for id_, row in changed.items()})
            for id_ in gone:
                stored.pop(id_, None)
        for id_ in sorted(self._seen.projects.keys() | self._work.projects.keys()):
            before, after = self._seen.projects.get(id_), self._work.projects.get(id_)
            if before is None or after is None or asdict(before) != asdict(after):
                record(self.store, before, after)
        self._seen = _copy(self._work)


def _changed(seen: dict[Any, Any], work: dict[Any, Any]) -> dict[Any, Any]:
    return {id_: row for id_, row in work.items() if id_ not in seen or asdict(row) != asdict(seen[id_])}


def _copy(value: Any) -> Any:
    """Not `copy.deepcopy`, which would share what SQLAlchemy keeps in the instances of a mapped class."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if not is_dataclass(value) or isinstance(value, type):
        return value
    given = {each: _copy(getattr(value, each.name)) for each in fields(value)}
    copied = type(value)(**{each.name: item for each, item in given.items() if each.init})
    for each, item in given.items():
        setattr(copied, each.name, item)
    return copied


class FakeAccountRepository(FakeRepository[Account]):

    table = 'accounts'

    def add(self, entity: Account) -> None:
        self.save(entity)
        super().add(entity)
        entity.user.id = next(self._store.ids)
        entity.user.account_id = entity.id

    def save(self, entity: Account) -> None:
        others = [other for other in self._rows.values() if other is not entity]
        if entity.email in {other.email for other in others}:
            raise EmailTaken(entity.email)
        if entity.user.username.lower() in {other.user.username.lower() for other in others}:
            raise UsernameTaken(entity.user.username)

    def delete(self, entity: Account) -> None:
        user = self._rows.pop(entity.id).user
        projects = [project for project in self._store.projects.values() if project.user_id == user.id]
        for of_account in self._store.sessions, self._store.email_changes:
            for id_ in [id_ for id_, row in of_account.items() if row.account_id == entity.id]:
                del of_account[id_]
        for of_user in self._store.projects, self._store.images:
            for id_ in [id_ for id_, row in of_user.items() if row.user_id == user.id]:
                del of_user[id_]
        for project in projects:
            record(self._store, project, None)
            self._store.forget_revisions(project.id)
        for key in [key for key in self._store.old_slugs if key[0] == user.id]:
            del self._store.old_slugs[key]

    def get_by_email(self, email: str) -> Account | None:
        return next((account for account in self._rows.values() if account.email == email), None)

    def all(self) -> list[Account]:
        return [account for _, account in sorted(self._rows.items())]


class FakeUserRepository:

    def __init__(self, store: Store) -> None:
        self._store = store

    def get_by_username(self, username: str) -> User | None:
        lowered = username.lower()
        return next((user for user in self._users() if user.username.lower() == lowered), None)

    def get_by_account(self, account_id: int) -> User | None:
        return next((user for user in self._users() if user.account_id == account_id), None)

    get_by_account_for_update = get_by_account

    def _users(self) -> list[User]:
        return [account.user for account in self._store.accounts.values()]


class FakeUserIds:

    def __init__(self, store: Store) -> None:
        self._users = FakeUserRepository(store)

    def by_username(self, username: str) -> int | None:
        user = self._users.get_by_username(username)
        return None if user is None else user.id

    def by_account(self, account_id: int) -> int | None:
        user = self._users.get_by_account(account_id)
        return None if user is None else user.id


class FakeImageRepository(FakeRepository[Image]):

    table = 'images'

    def lock(self, user_id: int) -> None:
        """One thread at a time uses the fakes."""

    def add(self, entity: Image) -> None:
        if entity.user_id not in {account.user.id for account in self._store.accounts.values()}:
            raise AccountGone()
        super().add(entity)

    def get_of_user(self, user_id: int, image_id: int) -> Image | None:
        return next((image for image in self._of(user_id) if image.id == image_id), None)

    def get_by_fingerprint(self, user_id: int, fingerprint: str) -> Image | None:
        kept = (image for image in self._of(user_id) if image.deleted_at is None)
        return next((image for image in kept if image.fingerprint == fingerprint), None)

    def with_names(self, wanted: Collection[tuple[int, str]]) -> list[Image]:
        there = [image for image in self._rows.values() if image.deleted_at is None]
        return [image for image in there if (image.user_id, image.name) in wanted]

    def page_of_user(self, user_id: int, page: PageRequest) -> Page[Image]:
        return newest_first([image for image in self._of(user_id) if image.deleted_at is None], page)

    def claimed(self, user_id: int, names: Collection[str]) -> set[str]:
        users = [account.user for account in self._store.accounts.values()]
        of_images = {image.name for image in self._of(user_id) if image.deleted_at is None}
        of_avatar = {user.avatar_name for user in users if user.id == user_id and user.avatar_name}
        return (of_images | of_avatar) & set(names)

    def keys_of_user(self, user_id: int) -> list[str]:
        name, = (each.user.avatar_name for each in self._store.accounts.values() if each.user.id == user_id)
        keys = [key for image in self._of(user_id) for key in image.keys]
        return keys if name is None else [*keys, avatar_key(user_id, name)]

    def pending_deletion(self, limit: int) -> list[Image]:
        return [image for image in self._rows.values() if image.deleted_at is not None][:limit]

    def purge_deleted(self, user_id: int, names: Collection[str]) -> None:
        for image in self._of(user_id):
            if image.name in names and image.deleted_at is not None:
                self.delete(image)

    def _of(self, user_id: int) -> list[Image]:
        return [image for image in self._rows.values() if image.user_id == user_id]


class FakeOutbox(FakeRepository[OutboxMail]):

    table = 'outbox'

    def next_due(self, now: datetime) -> OutboxMail | None:
        due = [
            mail for mail in self._rows.values() if mail.status is MailStatus.PENDING and mail.due_at <= now
        ]
        return min(due, key=lambda mail: mail.due_at, default=None)

    def delete_done(self, before: datetime, limit: int) -> int:
        done = [
            mail for mail in self._rows.values()
            if mail.status in (MailStatus.SENT,
                               MailStatus.OBSOLETE) and mail.finished_at and mail.finished_at < before
        ][:limit]
        for mail in done:
            self.delete(mail)
        return len(done)

    def list_unfinished(self) -> Sequence[OutboxMail]:
        unfinished = (MailStatus.PENDING, MailStatus.FAILED)
        return [mail for _, mail in sorted(self._rows.items()) if mail.status in unfinished]

    def tally(self) -> OutboxTally:
        mails = self._rows.values()
        pending = [mail.trying_since for mail in mails if mail.status is MailStatus.PENDING]
        failed = [mail for mail in mails if mail.status is MailStatus.FAILED]
        return OutboxTally(pending=len(pending), failed=len(failed), oldest=min(pending, default=None))


class FakeIdempotencyClaims(FakeRepository[IdempotencyClaim]):

    table = 'idempotency_claims'

    def get_or_add(self, wanted: IdempotencyClaim) -> IdempotencyClaim:
        for there in self._rows.values():
            if (there.scope, there.key) == (wanted.scope, wanted.key):
                return there
        self.add(wanted)
        return wanted

    def delete_of_scope(self, scope: str) -> None:
        for claim in list(self._rows.values()):
            if claim.scope == scope:
                self.delete(claim)

    def delete_expired(self, now: datetime, limit: int) -> int:
        there = self._rows.values()
        expired = [claim for claim in there if claim.expires_at <= now][:limit]
        for claim in expired:
            self.delete(claim)
        return len(expired)
