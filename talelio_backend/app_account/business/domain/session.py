from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

# A session ends after this long without use, and after this long in any case.
IDLE_LIFETIME = timedelta(days=14)
ABSOLUTE_LIFETIME = timedelta(days=90)

# Two tabs that restore the session at once send the same token, and so does a page that is reloaded before
# the response arrives. Within this period after the exchange, both receive the same successor.
GRACE = timedelta(seconds=10)

# Per account. A login ends the least recently used sessions beyond these.
MAX_SESSIONS = 50


@dataclass(frozen=True)
class RefreshToken:
    """The content of a refresh token. Only the client knows the secret."""

    session_id: int
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Client:
    """The device and address that last used a session, in terms that its owner recognises."""

    device: str
    address: str


@dataclass(eq=False, kw_only=True)
class Session:
    """A login on one device, continued by a chain of refresh tokens."""

    id: int = field(init=False)
    account_id: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    # SHA-256 of the newest token's secret, in hexadecimal. The secret is random, so no slow hash is needed.
    token_hash: str = field(repr=False)
    # When the newest token was issued in exchange for an older one; None while it is the first.
    rotated_at: datetime | None = None
    device: str
    address: str

    @classmethod
    def begin(cls, account_id: int, secret: str, client: Client, now: datetime) -> 'Session':
        return cls(
            account_id=account_id,
            created_at=now,
            last_used_at=now,
            expires_at=now + IDLE_LIFETIME,
            token_hash=hash_secret(secret),
            device=client.device,
            address=client.address,
        )

    def is_over(self, now: datetime) -> bool:
        return now >= self.expires_at

    def exchange(self, secret: str, successors: Sequence[str], client: Client, now: datetime) -> str | None:
        """Return the secret of the token to issue, or None if an old one is replayed after the grace period.

        `successors` are the secrets that may follow this one. They derive from it and the server's keys, so
        concurrent requests with the same secret receive the same successor. The newest token is not exchanged
        again within GRACE, so that a request that raced with the last exchange still receives it.
        """
        in_grace = self.rotated_at is not None and now - self.rotated_at < GRACE
        newest = next((each for each in (secret, *successors) if hash_secret(each) == self.token_hash), None)
        if newest is None or newest != secret and not in_grace:
            return None
        if not in_grace:
            newest = successors[0]
            self.token_hash, self.rotated_at = hash_secret(newest), now
        self.last_used_at = now
        self.expires_at = min(now + IDLE_LIFETIME, self.created_at + ABSOLUTE_LIFETIME)
        self.device, self.address = client.device, client.address
        return newest


def hash_secret(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
