from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    bindparam,
    func,
    select,
)

from talelio_backend.app_user.business.user import User
from talelio_backend.shared.data.change_notifications import mark_public
from talelio_backend.shared.data.compiled_query import CompiledQuery
from talelio_backend.shared.data.orm import INSTANT, metadata
from talelio_backend.shared.data.repository import SqlAlchemyRepository

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
    # Earlier releases named the files by digests.
    Column('avatar_digest', Text, key='avatar_name'),
)
# People would take 'Maker' and 'maker' for the same person.
USERNAME_UNIQUE = 'uq_users_username_lower'
Index(USERNAME_UNIQUE, func.lower(user_table.c.username), unique=True)
mark_public(user_table)


class SqlAlchemyUserRepository(SqlAlchemyRepository[User]):
    """See `app_user.business.ports.UserRepository`."""

    entity = User
    table = user_table

    def get_by_username(self, username: str) -> User | None:
        return self._find(func.lower(user_table.c.username) == username.lower())

    def get_by_account(self, account_id: int) -> User | None:
        return self._find(user_table.c.account_id == account_id)

    def get_by_account_for_update(self, account_id: int) -> User | None:
        return self._find(user_table.c.account_id == account_id, lock=True)


class SqlAlchemyUserIds:
    """See `app_user.business.ports.UserIds`."""

    _BY_USERNAME = CompiledQuery(
        select(user_table.c.id).where(func.lower(user_table.c.username) == bindparam('username'))
    )
    _BY_ACCOUNT = CompiledQuery(
        select(user_table.c.id).where(user_table.c.account_id == bindparam('account_id'))
    )

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_username(self, username: str) -> int | None:
        return self._id(self._BY_USERNAME, username=username.lower())

    def by_account(self, account_id: int) -> int | None:
        return self._id(self._BY_ACCOUNT, account_id=account_id)

    def _id(self, query: CompiledQuery, **values: int | str) -> int | None:
        row = query.first(self._connection, **values)
        return None if row is None else row[0]
