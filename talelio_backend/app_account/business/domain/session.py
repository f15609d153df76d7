from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

# Logged out after so long without a sign of life, and after so long in any case.
IDLE_LIFETIME = timedelta(days=14)
ABSOLUTE_LIFETIME = timedelta(days=90)

# Two tabs that restore the session at once send the same token, and a page that is reloaded before the
# answer came sends it again. For so long after the exchange both get the token that came of it.
GRACE = timedelta(seconds=10)

# The least recently used ones beyond these are ended at a login.
MAX_SESSIONS = 50


@dataclass(frozen=True)
class RefreshToken:
    """What a refresh token says. The secret is known to nobody but the client."""

    session_id: int
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Client:
    """Where a session was begun or last used, as its owner may recognise it."""

    device: str
    address: str


@dataclass(eq=False, kw_only=True)
class Session:
    """A login on one device: a line of refresh tokens of which each was exchanged for the next."""

    id: int = field(init=False)
    account_id: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    # SHA-256 of the newest token's secret, in hexadecimal. The secret is random, so no slow hash is needed.
    token_hash: str = field(repr=False)
    # When an older token was exchanged for the newest one; None as long as that is the first.
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
        """Return the secret of the token to hand out, or None where one is presented again too late.

        `successors` are what may follow the secret: which one follows is fixed by the secret and a key of
        the server's, so that two who present the same secret get the same. A newest token is exchanged at
        most once in GRACE, so that whoever raced with its forerunner still finds it the newest.
        """
        graceful = self.rotated_at is not None and now - self.rotated_at < GRACE
        if hash_secret(secret) == self.token_hash:
            handed_out = secret if graceful else successors[0]
        elif graceful and any(hash_secret(successor) == self.token_hash for successor in successors):
            handed_out = next(each for each in successors if hash_secret(each) == self.token_hash)
        else:
            return None
        if hash_secret(handed_out) != self.token_hash:
            self.token_hash = hash_secret(handed_out)
            self.rotated_at = now
        self.last_used_at = now
        self.expires_at = min(now + IDLE_LIFETIME, self.created_at + ABSOLUTE_LIFETIME)
        self.device, self.address = client.device, client.address
        return handed_out


def hash_secret(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
