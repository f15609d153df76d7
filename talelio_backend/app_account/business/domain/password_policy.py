"""The password policy follows NIST SP 800-63B-4, section 3.1.1.2: no composition rules."""
from collections.abc import Container

from talelio_backend.app_account.business.domain.errors import WeakPassword

MINIMUM_LENGTH = 8
# Allows any passphrase and bounds the cost of reading and hashing it.
MAXIMUM_LENGTH = 1024


def check_password(password: str, *, common_passwords: Container[str], email: str, username: str) -> None:
    """Raises WeakPassword. `common_passwords` holds lower-case words."""
    if len(password) < MINIMUM_LENGTH:
        raise WeakPassword(f'must have at least {MINIMUM_LENGTH} characters')
    if len(password) > MAXIMUM_LENGTH:
        raise WeakPassword(f'must have at most {MAXIMUM_LENGTH} characters')
    lowered = password.lower()
    if lowered in common_passwords:
        raise WeakPassword('is one of the most used passwords')
    if lowered in (email, email.partition('@')[0], username.lower()):
        raise WeakPassword('must not be the email or the username')
