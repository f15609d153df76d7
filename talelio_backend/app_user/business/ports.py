from typing import Protocol

from talelio_backend.app_user.business.user import User
from talelio_backend.shared.business.unit_of_work import UnitOfWork


class UserRepository(Protocol):

    def get_by_username(self, username: str) -> User | None:
        """Letter case does not count."""

    def get_by_account(self, account_id: int) -> User | None:
        ...

    def get_by_account_for_update(self, account_id: int) -> User | None:
        """Return the user, locked against others until the unit of work ends."""


class UserIds(Protocol):
    """Who somebody is, for those who need no more of them."""

    def by_username(self, username: str) -> int | None:
        """Letter case does not count."""

    def by_account(self, account_id: int) -> int | None:
        ...


class UserUnitOfWork(UnitOfWork, Protocol):

    @property
    def users(self) -> UserRepository:
        ...
