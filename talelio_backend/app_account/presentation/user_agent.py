from flask import request

from talelio_backend.app_account.business.domain.session import Client
from talelio_backend.shared.presentation.requests.client import peer_address

# Browsers include the names of others for compatibility, so the first match in this order counts.
_BROWSERS = {
    'Edg': 'Edge',
    'OPR/': 'Opera',
    'SamsungBrowser/': 'Samsung Internet',
    'Firefox/': 'Firefox',
    'FxiOS/': 'Firefox',
    'Chrome/': 'Chrome',
    'CriOS/': 'Chrome',
    'Safari/': 'Safari',
}
_SYSTEMS = {
    'iPhone': 'iPhone',
    'iPad': 'iPad',
    'Android': 'Android',
    'Windows': 'Windows',
    'Mac OS X': 'macOS',
    'CrOS': 'ChromeOS',
    'Linux': 'Linux',
}
# The maximum length of an unknown name.
_LENGTH = 40


def request_client() -> Client:
    """Describe the client in terms that the account's owner recognises."""
    return Client(
        device=device_name(request.headers.get('User-Agent', '')),
        address=peer_address() or '',
    )


def device_name(user_agent: str) -> str:
    """Return a name such as `Firefox on Linux` or `curl/8.5.0`, or an empty string."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if browser is not None:
        return f'{browser} on {system}' if system is not None else browser
    name = user_agent.partition(' ')[0]
    return ''.join(c for c in name if c.isprintable())[:_LENGTH]


def _first(names: dict[str, str], user_agent: str) -> str | None:
    return next((name for sign, name in names.items() if sign in user_agent), None)
