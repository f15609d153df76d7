from talelio_backend.app_account.business.rate_limit_policies import LOGIN
from talelio_backend.shared.rate_limits.business.limiter import Refused

# For descriptions of what is limited.
TOO_MANY_TRIES = Refused(LOGIN.network, 60)
