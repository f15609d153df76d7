from collections.abc import Callable
from datetime import datetime

from talelio_backend.app_user.business.errors import AccountGone, UserNotFound
from talelio_backend.app_user.business.ports import UserIds, UserRepository, UserUnitOfWork
from talelio_backend.app_user.business.user import User, is_well_formed_username
from talelio_backend.shared.business.identity import Identity


def find_user(users: UserRepository, username: str) -> User:
    """Raises UserNotFound."""
    user = users.get_by_username(username) if is_well_formed_username(username) else None
    if user is None:
        raise UserNotFound(username)
    return user


def find_own_user(users: UserRepository, identity: Identity) -> User:
    """Raises AccountGone."""
    user = users.get_by_account(identity.account_id)
    if user is None:
        raise AccountGone()
    return user


def find_user_id(ids: UserIds, username: str) -> int:
    """Raises UserNotFound."""
    user_id = ids.by_username(username) if is_well_formed_username(username) else None
    if user_id is None:
        raise UserNotFound(username)
    return user_id


def find_own_user_id(ids: UserIds, identity: Identity) -> int:
    """Raises AccountGone."""
    user_id = identity.user_id or ids.by_account(identity.account_id)
    if user_id is None:
        raise AccountGone()
    return user_id


def show(uow: UserUnitOfWork, username: str) -> User:
    """Raises UserNotFound."""
    with uow:
        return find_user(uow.users, username)


def show_own(uow: UserUnitOfWork, identity: Identity) -> User:
    """Raises AccountGone."""
    with uow:
        return find_own_user(uow.users, identity)


def change_own(
    uow: UserUnitOfWork,
    identity: Identity,
    *,
    location: str | None,
    now: datetime,
    precondition: Callable[[User], None] | None = None,
) -> User:
    """None leaves a field unchanged. Raises Invalid, AccountGone and the errors of `precondition`."""
    with uow:
        user = uow.users.get_by_account_for_update(identity.account_id)
        if user is None:
            raise AccountGone()
        if precondition is not None:
            precondition(user)
        if location is not None:
            user.change_location(location, now)
        uow.commit()
    return user
