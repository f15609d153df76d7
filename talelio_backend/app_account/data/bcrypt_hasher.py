import base64
import hmac
import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

from talelio_backend.shared.workers.bulkhead import Bulkhead, BulkheadObserver

# Separates this pre-hash from other uses of SHA-384, so that leaked hashes from elsewhere are no use against
# it. Not a secret.
_CONTEXT = b'talelio_backend/password'

# On a busy core, reads take precedence over the hashing threads, which still get a tenth of it.
NICENESS = 10

T = TypeVar('T')

MAX_WAITING = 7
# In seconds; clients give up not much later.
TIMEOUT = 10.0


class BcryptHasher:
    """The `PasswordHasher` of `business.ports.accounts`. It runs at most `at_once` hashes at a time.

    bcrypt reads at most 72 bytes and stops at a NUL, so its input is the base64 of a keyed SHA-384, 64 bytes
    that depend on the whole password (OWASP Password Storage Cheat Sheet, "Pre-Hashing Passwords").
    """

    def __init__(
        self,
        cost: int,
        *,
        at_once: int = 1,
        timeout: float = TIMEOUT,
        observer: BulkheadObserver = BulkheadObserver(),
    ) -> None:
        self._cost = cost
        self._bulkhead = Bulkhead(
            'passwords to check', at_once=at_once, waiting=MAX_WAITING, timeout=timeout, observer=observer
        )
        # Dedicated threads, since an unprivileged thread cannot raise its priority again.
        self._threads = ThreadPoolExecutor(at_once, 'hashing', initializer=_lower_priority)
        # Well-formed, but the hash of no password. Checking against it takes the usual time and fails.
        self._dummy_hash = bcrypt.gensalt(cost) + b'.' * 31

    def hash(self, password: str) -> str:
        return self._run(lambda: self._make_hash(_prehash(password), self._cost).decode())

    def verify(self, password: str, password_hash: str | None) -> bool:
        stored = self._dummy_hash if password_hash is None else password_hash.encode()
        return self._run(lambda: self._is_right(password, stored)) and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return _cost_of(password_hash.encode()) < self._cost

    def _run(self, work: Callable[[], T]) -> T:
        with self._bulkhead.slot():
            return self._threads.submit(work).result()

    def _is_right(self, password: str, stored: bytes) -> bool:
        try:
            right = bcrypt.checkpw(_prehash(password), stored)
        except ValueError:
            # A corrupt hash matches no password and takes as long as any other.
            bcrypt.checkpw(_prehash(password), self._dummy_hash)
            return False
        if not right:
            self._equalize_cost(stored)
        return right

    def _equalize_cost(self, stored: bytes) -> None:
        """Add the work that an older, cheaper hash saved, so that timing does not reveal the account.

        2^old + 2^old + 2^(old+1) + … + 2^(new-1) = 2^new.
        """
        for cost in range(_cost_of(stored), self._cost):
            self._make_hash(b'nobody', cost)

    def _make_hash(self, prehashed: bytes, cost: int) -> bytes:
        return bcrypt.hashpw(prehashed, bcrypt.gensalt(cost))


def _prehash(password: str) -> bytes:
    # Keyboards may send different code points for the same character (NIST SP 800-63B-4, section 3.1.1.2).
    normal = unicodedata.normalize('NFKC', password).encode()
    return base64.b64encode(hmac.digest(_CONTEXT, normal, 'sha384'))


def _cost_of(password_hash: bytes) -> int:
    # $2b$12$salt-and-hash
    return int(password_hash.split(b'$')[2])


def _lower_priority() -> None:
    # Only Linux has a niceness per thread; elsewhere it would apply to the whole process.
    if sys.platform == 'linux':
        thread = threading.get_native_id()
        # An unprivileged process cannot lower its niceness.
        niceness = max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread))
        os.setpriority(os.PRIO_PROCESS, thread, niceness)
