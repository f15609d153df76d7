"""All limits of the service in one place.

A quota of a network is high, as many people may share one; a quota of a subject is what stops guessing.
"""
from datetime import timedelta

from talelio_backend.shared.business.errors import Forbidden, Invalid, Unauthenticated
from talelio_backend.shared.rate_limits.business.limits import Limit, Policy

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

# By the address that is to be logged in with. A success, and a right password of an account that may not
# log in, are taken back.
LOGIN = Limit(
    network=Policy(name='login-network', quota=300, window=_HOUR),
    subject=Policy(name='login', quota=10, window=_DAY),
    remembers_networks=True,
    counted=(Unauthenticated, ),
)
# By the address that is to be registered. Successes are limited by the whitelist.
REGISTRATION = Limit(
    network=Policy(name='registration-network', quota=300, window=_HOUR),
    subject=Policy(name='registration', quota=30, window=_HOUR),
    counted=(Invalid, ),
)
# By the address that the mail would go to.
VERIFICATION_RESEND = Limit(
    network=Policy(name='resend-network', quota=100, window=_HOUR),
    subject=Policy(name='resend', quota=10, window=_HOUR),
)
PASSWORD_FORGOT = Limit(
    network=Policy(name='forgot-network', quota=100, window=_HOUR),
    subject=Policy(name='forgot', quota=10, window=_HOUR),
)
# Wrong tokens, which nobody can guess: the quota spares the database.
PASSWORD_RESET = Limit(
    network=Policy(name='reset-network', quota=100, window=_HOUR),
    counted=(Invalid, ),
)
TOKEN_REFRESH = Limit(
    network=Policy(name='refresh-network', quota=300, window=_HOUR),
    counted=(Unauthenticated, Forbidden),
)
# Somebody who is logged in proves once more that they know the password; by the account's id.
PASSWORD_PROOF = Limit(
    network=Policy(name='proof-network', quota=300, window=_HOUR),
    subject=Policy(name='proof', quota=10, window=_DAY),
    counted=(Unauthenticated, Forbidden, Invalid),
)
# Each sends two mails, of which one goes to an address that may be anybody's; by the account's id.
EMAIL_CHANGE = Limit(
    network=Policy(name='email-network', quota=100, window=_HOUR),
    subject=Policy(name='email', quota=10, window=_HOUR),
)

LIMITS = (
    LOGIN, REGISTRATION, VERIFICATION_RESEND, PASSWORD_FORGOT, PASSWORD_RESET, TOKEN_REFRESH, PASSWORD_PROOF,
    EMAIL_CHANGE
)
POLICIES = [policy for limit in LIMITS for policy in (limit.network, limit.subject) if policy is not None]
