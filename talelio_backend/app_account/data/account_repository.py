from collections.abc import Mapping, Sequence

from sqlalchemy import Boolean, Column, Identity, Integer, Table, Text, UniqueConstraint, delete, select
from sqlalchemy.orm import relationship

from talelio_backend.app_account.business.domain.account import Account
from talelio_backend.app_account.business.domain.errors import EmailTaken
from talelio_backend.app_user.business.errors import UsernameTaken
from talelio_backend.app_user.business.user import User
from talelio_backend.app_user.data.user_repository import USERNAME_UNIQUE
from talelio_backend.shared.business.errors import BusinessError
from talelio_backend.shared.data.change_notifications import mark_public
from talelio_backend.shared.data.orm import INSTANT, mapper_registry, metadata
from talelio_backend.shared.data.repository import SqlAlchemyRepository

EMAIL_UNIQUE = 'uq_accounts_email'

account_table = Table(
    'accounts',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column('created_at', INSTANT, nullable=False),
    Column('updated_at', INSTANT),
    Column('email', Text, nullable=False),
    Column('password_hash', Text, nullable=False),
    Column('verified', Boolean, nullable=False),
    Column('link_serial', Integer, nullable=False),
    Column('link_requested_at', INSTANT, nullable=False),
    Column('token_epoch', Integer, nullable=False, server_default='0'),
    Column('disabled_at', INSTANT),
    Column('reset_requested_at', INSTANT),
    UniqueConstraint('email', name=EMAIL_UNIQUE),
)
mark_public(account_table)


def map_account() -> None:
    mapper_registry.map_imperatively(
        Account,
        account_table,
        properties={
            # Every account has a user. FOR UPDATE also requires the inner join.
            'user':
            relationship(
                User,
                lazy='joined',
                innerjoin=True,
                cascade='all, delete-orphan',
                single_parent=True,
                passive_deletes=True,
                uselist=False
            )
        },
    )


class SqlAlchemyAccountRepository(SqlAlchemyRepository[Account]):
    """See `app_account.business.ports.AccountRepository`."""

    entity = Account

    def _errors(self, entity: Account) -> Mapping[str, BusinessError]:
        # Only the constraints detect concurrent registrations.
        return {
            EMAIL_UNIQUE: EmailTaken(entity.email),
            USERNAME_UNIQUE: UsernameTaken(entity.user.username),
        }

    def all(self) -> Sequence[Account]:
        return self._list(select(Account).order_by(account_table.c.id))

    def delete(self, entity: Account) -> None:
        # The database cascades the deletion without loading the dependent rows.
        self._session.execute(delete(account_table).where(account_table.c.id == entity.id))
        self._session.expunge(entity)

    def get_by_email(self, email: str) -> Account | None:
        return self._find(account_table.c.email == email)
