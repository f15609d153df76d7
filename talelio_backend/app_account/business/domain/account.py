from dataclasses import dataclass, field
from datetime import datetime, timedelta

from talelio_backend.app_account.business.domain.errors import (
    AccountAlreadyVerified,
    AccountDisabled,
    AccountNotVerified,
    InvalidVerificationToken,
)
from talelio_backend.app_user.business.user import User

# Anyone can request a new link, and each one invalidates its predecessors. The pause between two links
# therefore grows until the owner of the mailbox has time to open one.
FIRST_LINK_PAUSE = timedelta(minutes=1)
LONGEST_LINK_PAUSE = timedelta(hours=1)
# The pause between two password reset links, which do not invalidate each other.
RESET_PAUSE = timedelta(minutes=2)
# How long the owner of the old address can revoke a change, even after its confirmation.
REVOCATION_PERIOD = timedelta(days=7)


@dataclass(eq=False, kw_only=True)
class Account:
    id: int = field(init=False)
    created_at: datetime
    updated_at: datetime | None = None
    # In canonical form, see email_address.py.
    email: str
    password_hash: str = field(repr=False)
    verified: bool = False
    # Only the verification link with this number is valid; a new link increments it.
    link_serial: int = 1
    link_requested_at: datetime
    # Only access tokens with this number are valid.
    token_epoch: int = 0
    disabled_at: datetime | None = None
    reset_requested_at: datetime | None = None
    user: User

    @classmethod
    def register(cls, email: str, password_hash: str, user: User, now: datetime) -> 'Account':
        return cls(
            email=email,
            password_hash=password_hash,
            user=user,
            created_at=now,
            link_requested_at=now,
        )

    def check_link(self, serial: int) -> None:
        """Raises AccountAlreadyVerified, InvalidVerificationToken."""
        if self.verified:
            raise AccountAlreadyVerified()
        if serial != self.link_serial:
            raise InvalidVerificationToken()

    def verify(self, now: datetime) -> None:
        self.verified = True
        self.updated_at = now

    def claim(self, password_hash: str, username: str, now: datetime) -> None:
        """Verify the account and replace its credentials."""
        self.password_hash = password_hash
        self.user.rename(username, now)
        self.verify(now)

    def check_may_log_in(self) -> None:
        """Raises AccountDisabled, AccountNotVerified."""
        if self.disabled_at is not None:
            raise AccountDisabled()
        if not self.verified:
            raise AccountNotVerified()

    def disable(self, now: datetime) -> None:
        self.disabled_at = self.updated_at = now
        self.revoke_access_tokens()

    def enable(self, now: datetime) -> None:
        self.disabled_at = None
        self.updated_at = now

    def revoke_access_tokens(self) -> None:
        self.token_epoch += 1

    def change_password(self, password_hash: str, now: datetime) -> None:
        self.password_hash = password_hash
        self.updated_at = now
        self.revoke_access_tokens()
        # Earlier reset links are now invalid, so the next one need not wait.
        self.reset_requested_at = None

    def change_email(self, email: str, now: datetime) -> None:
        """`email` is canonical."""
        self.email = email
        self.updated_at = now

    def request_reset(self, now: datetime) -> bool:
        """Return whether a reset link may be sent now, and start the next pause if so."""
        if self.reset_requested_at is not None and now - self.reset_requested_at < RESET_PAUSE:
            return False
        self.reset_requested_at = now
        return True

    def renew_link(self, now: datetime) -> bool:
        """Invalidate earlier verification links. Return False if no new link is needed or it is too soon."""
        pause = min(FIRST_LINK_PAUSE * (1 << min(self.link_serial - 1, 10)), LONGEST_LINK_PAUSE)
        if self.verified or now - self.link_requested_at < pause:
            return False
        self.link_serial += 1
        self.link_requested_at = now
        return True


@dataclass(eq=False, kw_only=True)
class EmailChange:
    """A requested change. It takes effect when the link sent to the new address is confirmed."""

    id: int = field(init=False)
    account_id: int
    # Both in canonical form.
    old_email: str
    new_email: str
    requested_at: datetime
    confirmed_at: datetime | None = None


@dataclass(eq=False, kw_only=True)
class WhitelistEntry:
    id: int = field(init=False)
    # In canonical form.
    email: str
    note: str
    added_at: datetime
    # None means never.
    expires_at: datetime | None

    def admits(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at
