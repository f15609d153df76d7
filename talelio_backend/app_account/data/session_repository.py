from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    or_,
    select,
)

from talelio_backend.app_account.business.domain.session import Session
from talelio_backend.app_account.business.ports import AccountStatus
from talelio_backend.app_account.data.account_repository import account_table
from talelio_backend.app_user.data.user_repository import user_table
from talelio_backend.shared.data.compiled_query import CompiledQuery
from talelio_backend.shared.data.orm import INSTANT, metadata
from talelio_backend.shared.data.repository import SqlAlchemyRepository

session_table = Table(
    'sessions',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column('account_id', ForeignKey('accounts.id', ondelete='CASCADE'), nullable=False),
    Column('created_at', INSTANT, nullable=False),
    Column('last_used_at', INSTANT, nullable=False),
    Column('expires_at', INSTANT, nullable=False),
    Column('token_hash', Text, nullable=False),
    Column('rotated_at', INSTANT),
    Column('device', Text, nullable=False),
    Column('address', Text, nullable=False),
    # For listing.
    Index(None, 'account_id', 'last_used_at'),
    # For deleting expired sessions.
    Index(None, 'expires_at'),
)
_columns = session_table.c


class SqlAlchemySessionRepository(SqlAlchemyRepository[Session]):
    """See `app_account.business.ports.SessionRepository`."""

    entity = Session
    table = session_table

    def of_account(self, account_id: int, now: datetime) -> Sequence[Session]:
        query = select(Session).where(_columns.account_id == account_id, _columns.expires_at > now)
        return self._list(query.order_by(_columns.last_used_at.desc(), _columns.id.desc()))

    def end(self, account_id: int, session_id: int) -> bool:
        ended = self._session.execute(
            delete(session_table).where(_columns.account_id == account_id,
                                        _columns.id == session_id).returning(_columns.id)
        )
        return ended.first() is not None

    def end_all(self, account_id: int, *, keep: int | None = None) -> None:
        statement = delete(session_table).where(_columns.account_id == account_id)
        self._session.execute(statement if keep is None else statement.where(_columns.id != keep))

    def keep_newest(self, account_id: int, number: int) -> None:
        others = select(_columns.id).where(_columns.account_id == account_id
                                           ).order_by(_columns.last_used_at.desc(),
                                                      _columns.id.desc()).offset(number)
        self._session.execute(delete(session_table).where(_columns.id.in_(others)))

    def delete_over(self, now: datetime, limit: int) -> None:
        self._session.execute(delete(session_table).where(self._batch(limit, _columns.expires_at <= now)))


class SqlAlchemyAccountStatuses:
    """See `app_account.business.ports.AccountStatuses`."""

    _SESSION = bindparam('session_id', type_=Integer)
    # In the order of the fields of AccountStatus.
    _OF_ACCOUNT = CompiledQuery(
        select(
            user_table.c.id,
            account_table.c.token_epoch,
            account_table.c.disabled_at.is_not(None),
            or_(_SESSION.is_(None), _columns.id.is_not(None)),
        ).join_from(account_table, user_table).outerjoin(
            session_table, and_(_columns.account_id == account_table.c.id, _columns.id == _SESSION)
        ).where(account_table.c.id == bindparam('account_id', type_=Integer))
    )

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def account_status(self, account_id: int, session_id: int | None) -> AccountStatus | None:
        row = self._OF_ACCOUNT.first(self._connection, account_id=account_id, session_id=session_id)
        return None if row is None else AccountStatus(*row)
