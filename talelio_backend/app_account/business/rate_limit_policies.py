"""The rate limits of the service.

Network quotas are high, since many people may share a network. Subject quotas stop guessing.
"""
from datetime import timedelta

from talelio_backend.shared.business.errors import Forbidden, Invalid, Unauthenticated
from talelio_backend.shared.rate_limits.business.limits import Limit, Policy

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

# The subject is the e-mail address. Attempts with the right password are refunded, even if the account may
# not log in.
LOGIN = Limit(
    network=Policy(name='login-network', quota=300, window=_HOUR),
    subject=Policy(name='login', quota=10, window=_DAY),
    remembers_networks=True,
    counted=(Unauthenticated, ),
)
# The subject is the e-mail address. The whitelist limits successful registrations.
REGISTRATION = Limit(
    network=Policy(name='registration-network', quota=300, window=_HOUR),
    subject=Policy(name='registration', quota=30, window=_HOUR),
    counted=(Invalid, ),
)
# The subject is the recipient's address.
VERIFICATION_RESEND = Limit(
    network=Policy(name='resend-network', quota=100, window=_HOUR),
    subject=Policy(name='resend', quota=10, window=_HOUR),
)
PASSWORD_FORGOT = Limit(
    network=Policy(name='forgot-network', quota=100, window=_HOUR),
    subject=Policy(name='forgot', quota=10, window=_HOUR),
)
# Tokens cannot be guessed. The quota protects the database.
PASSWORD_RESET = Limit(
    network=Policy(name='reset-network', quota=100, window=_HOUR),
    counted=(Invalid, ),
)
TOKEN_REFRESH = Limit(
    network=Policy(name='refresh-network', quota=300, window=_HOUR),
    counted=(Unauthenticated, Forbidden),
)
# A logged-in user confirms the password. The subject is the account's id.
PASSWORD_PROOF = Limit(
    network=Policy(name='proof-network', quota=300, window=_HOUR),
    subject=Policy(name='proof', quota=10, window=_DAY),
    counted=(Unauthenticated, Forbidden, Invalid),
)
# Each request sends two mails, one of them to an arbitrary address. The subject is the account's id.
EMAIL_CHANGE = Limit(
    network=Policy(name='email-network', quota=100, window=_HOUR),
    subject=Policy(name='email', quota=10, window=_HOUR),
)

LIMITS = (
    LOGIN, REGISTRATION, VERIFICATION_RESEND, PASSWORD_FORGOT, PASSWORD_RESET, TOKEN_REFRESH, PASSWORD_PROOF,
    EMAIL_CHANGE
)
POLICIES = [policy for limit in LIMITS for policy in (limit.network, limit.subject) if policy is not None]
