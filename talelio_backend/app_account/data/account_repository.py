"""The tables of accounts, of the whitelist and of changes of addresses, with their repositories."""
from collections.abc import Mapping, Sequence

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    delete,
    select,
)
from sqlalchemy.orm import relationship

from talelio_backend.app_account.business.domain.account import Account, EmailChange, WhitelistEntry
from talelio_backend.app_account.business.domain.errors import EmailTaken
from talelio_backend.app_user.business.errors import UsernameTaken
from talelio_backend.app_user.business.user import User
from talelio_backend.app_user.data.user_repository import USERNAME_UNIQUE
from talelio_backend.shared.business.errors import BusinessError, Conflict
from talelio_backend.shared.data.change_notifications import mark_public
from talelio_backend.shared.data.orm import INSTANT, metadata
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


class SqlAlchemyAccountRepository(SqlAlchemyRepository[Account]):
    """See `app_account.business.ports.AccountRepository`."""

    entity = Account
    table = account_table
    # Every account has a user. FOR UPDATE also requires the inner join.
    _user = relationship(
        User,
        lazy='joined',
        innerjoin=True,
        cascade='all, delete-orphan',
        single_parent=True,
        passive_deletes=True,
        uselist=False
    )
    mapping_options = {'properties': {'user': _user}}

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


WHITELIST_EMAIL_UNIQUE = 'uq_whitelist_email'

whitelist_table = Table(
    'whitelist',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column('email', Text, nullable=False),
    Column('note', Text, nullable=False),
    Column('added_at', INSTANT, nullable=False),
    Column('expires_at', INSTANT),
    UniqueConstraint('email', name=WHITELIST_EMAIL_UNIQUE),
)


class SqlAlchemyWhitelist(SqlAlchemyRepository[WhitelistEntry]):
    """See `app_account.business.ports.WhitelistRepository`."""

    entity = WhitelistEntry
    table = whitelist_table

    def _errors(self, _entity: WhitelistEntry) -> Mapping[str, BusinessError]:
        return {WHITELIST_EMAIL_UNIQUE: Conflict('Somebody else has just added the address')}

    def get_by_email(self, email: str) -> WhitelistEntry | None:
        return self._find(whitelist_table.c.email == email)

    def get_by_email_for_update(self, email: str) -> WhitelistEntry | None:
        return self._find(whitelist_table.c.email == email, lock=True)

    def all(self) -> Sequence[WhitelistEntry]:
        return self._list(select(WhitelistEntry).order_by(whitelist_table.c.email))


email_change_table = Table(
    'email_changes',
    metadata,
    Column('id', Integer, Identity(always=True), primary_key=True),
    Column('account_id', ForeignKey('accounts.id', ondelete='CASCADE'), nullable=False, index=True),
    Column('old_email', Text, nullable=False),
    Column('new_email', Text, nullable=False),
    Column('requested_at', INSTANT, nullable=False),
    Column('confirmed_at', INSTANT),
)


class SqlAlchemyEmailChangeRepository(SqlAlchemyRepository[EmailChange]):
    """See `app_account.business.ports.EmailChangeRepository`."""

    entity = EmailChange
    table = email_change_table

    def of_account(self, account_id: int) -> Sequence[EmailChange]:
        columns = email_change_table.c
        query = select(EmailChange).where(columns.account_id == account_id).order_by(columns.id)
        return self._list(query)
