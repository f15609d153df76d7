from talelio_backend.app_user.business.errors import UserNotFound
from talelio_backend.app_user.business.ports import UserRepository
from talelio_backend.app_user.business.user import User, could_be_username


def find_user(users: UserRepository, username: str) -> User:
    """Raises UserNotFound."""
    user = users.get_by_username(username) if could_be_username(username) else None
    if user is None:
        raise UserNotFound(username)
    return user
