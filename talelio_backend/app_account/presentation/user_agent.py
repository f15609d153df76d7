from flask import request

from talelio_backend.app_account.business.domain.session import Client
from talelio_backend.shared.presentation.requests.client import peer_address

# What a browser says of itself holds the names of all that it wants to be taken for, so the first that is
# found here counts.
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
# Characters of a name that is not known here.
_LENGTH = 40


def request_client() -> Client:
    """Who calls, in words by which the account's owner may recognise it."""
    return Client(
        device=device_name(request.headers.get('User-Agent', '')),
        address=peer_address() or '',
    )


def device_name(user_agent: str) -> str:
    """`Firefox on Linux`, or the name of a program, or nothing."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if browser is not None:
        return f'{browser} on {system}' if system is not None else browser
    name = user_agent.partition(' ')[0]
    return ''.join(c for c in name if c.isprintable())[:_LENGTH]


def _first(names: dict[str, str], user_agent: str) -> str | None:
    return next((name for sign, name in names.items() if sign in user_agent), None)
