from talelio_backend.app_account.business.rate_limit_policies import LOGIN
from talelio_backend.shared.rate_limits.business.limiter import Refused

# The example in the descriptions of rate-limited operations.
TOO_MANY_TRIES = Refused(LOGIN.network, 60)
