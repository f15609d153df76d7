"""Checks of valid, but possibly unintended settings."""
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from talelio_backend.settings.settings import Env, Settings
from talelio_backend.shared.diagnostics.business.checks import Check, Status


def check_settings(settings: Settings) -> Iterator[Check]:
    """Yield one check that passes, or one for each warning."""
    warnings = list(_warnings(settings)) if settings.env is Env.PRODUCTION else []
    if not warnings:
        yield Check(name='settings', run=lambda: f'valid, for {settings.env}')
    for found, remedy in warnings:
        yield Check.failing('settings', found, remedy, Status.WARN)


def _warnings(settings: Settings) -> Iterator[tuple[str, str]]:
    if urlsplit(settings.api_base_url).hostname in ('localhost', '127.0.0.1', '::1'):
        yield 'links in mails lead to this machine', 'Set API_BASE_URL to the public URL of the API'
    if any(origin.startswith('http:') for origin in settings.cors_origins):
        yield 'a frontend without TLS may call the API', 'List only https:// origins in CORS_ORIGINS'
    if not settings.trusted_proxies:
        yield 'no proxy is trusted: behind one, all clients count as one', 'Set TRUSTED_PROXIES'
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        yield 'every client can claim any address', 'List only the proxies in TRUSTED_PROXIES'
    if settings.metrics_address and ip_address(settings.metrics_address[0]).is_global:
        yield 'everybody can read the metrics', 'Set METRICS_ADDRESS to a private address'
