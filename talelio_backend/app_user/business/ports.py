from typing import Protocol

from talelio_backend.app_user.business.user import User
from talelio_backend.shared.business.unit_of_work import UnitOfWork


class UserRepository(Protocol):

    def get_by_username(self, username: str) -> User | None:
        """Case-insensitive."""

    def get_by_account(self, account_id: int) -> User | None:
        ...

    def get_by_account_for_update(self, account_id: int) -> User | None:
        """Lock the user until the unit of work ends."""


class UserIds(Protocol):
    """Looks up ids without loading users."""

    def by_username(self, username: str) -> int | None:
        """Case-insensitive."""

    def by_account(self, account_id: int) -> int | None:
        ...


class UserUnitOfWork(UnitOfWork, Protocol):

    @property
    def users(self) -> UserRepository:
        ...
