from sqlalchemy import Column, ForeignKey, Identity, Index, Integer, Table, Text, func, select
from sqlalchemy.orm import Session

from talelio_backend.app_user.business.user import User
from talelio_backend.shared.data.orm import INSTANT, mapper_registry, metadata
from talelio_backend.shared.data.public_data import tell_of

user_table = Table(
    'users',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column(
        'account_id',
        ForeignKey('accounts.id', ondelete='CASCADE'),
        nullable=False,
        unique=True,
    ),
    Column('created_at', INSTANT, nullable=False),
    Column('updated_at', INSTANT),
    Column('username', Text, nullable=False),
    Column('location', Text, nullable=False),
    Column('avatar_digest', Text),
)
# 'Maker' and 'maker' would be taken for the same person.
USERNAME_UNIQUE = 'uq_users_username_lower'
Index(USERNAME_UNIQUE, func.lower(user_table.c.username), unique=True)
tell_of(user_table)


def map_user() -> None:
    mapper_registry.map_imperatively(User, user_table)


class SqlAlchemyUserRepository:
    """See `app_user.business.ports.UserRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_by_username(self, username: str) -> User | None:
        same_name = func.lower(user_table.c.username) == username.lower()
        return self._session.scalar(select(User).where(same_name))

    def get_by_account(self, account_id: int) -> User | None:
        return self._session.scalar(select(User).where(user_table.c.account_id == account_id))

    def get_by_account_for_update(self, account_id: int) -> User | None:
        return self._session.scalar(
            select(User).where(user_table.c.account_id == account_id
                               ).with_for_update().execution_options(populate_existing=True)
        )
