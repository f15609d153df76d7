"""What the settings alone tell: each is right in itself, and may still not be what its owner wants."""
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from talelio_backend.settings import ConfigurationError, Env, Settings
from talelio_backend.shared.business.checkup import Finding, fail, ok, warn

_EVERYBODY = (ip_network('0.0.0.0/0'), ip_network('::/0'))
_MACHINE_ITSELF = ('localhost', '127.0.0.1', '::1')


def examine_problems(error: ConfigurationError) -> Iterator[Finding]:
    for problem in error.problems:
        yield fail(
            'settings', problem, 'Set it in the environment or in .env; .env.example shows how it is written'
        )


def examine_settings(settings: Settings) -> Iterator[Finding]:
    yield ok('settings', f'ENV is {settings.env}; nothing is missing or malformed')
    # Weaker ones are refused with the settings.
    yield ok('secret key', 'long and varied enough')
    yield _whitelist(settings)
    yield _address(settings)
    yield _frontends(settings)
    yield _proxies(settings)
    yield _metrics(settings)


def _whitelist(settings: Settings) -> Finding:
    number = len(settings.whitelisted_emails)
    if number:
        return ok('whitelist', f'{number} address{"" if number == 1 else "es"} may register')
    return warn('whitelist', 'nobody may register', 'List addresses in WHITELISTED_EMAILS')


def _address(settings: Settings) -> Finding:
    name = 'address'
    hosts = ', '.join(dict.fromkeys(settings.served_hosts))
    found = f'{settings.api_base_url}; requests are taken for {hosts}'
    if settings.env is Env.PRODUCTION and urlsplit(settings.api_base_url).hostname in _MACHINE_ITSELF:
        return warn(name, found, 'Set API_BASE_URL to what the API is called from outside')
    return ok(name, found)


def _frontends(settings: Settings) -> Finding:
    name = 'frontends'
    if not settings.cors_origins:
        return warn(name, 'no page may call the API from a browser', 'List origins in CORS_ORIGINS')
    plain = [origin for origin in settings.cors_origins if origin.startswith('http://')]
    if plain and settings.env is Env.PRODUCTION:
        return warn(
            name, f'{", ".join(plain)} comes without TLS, and so could be anybody\'s page',
            'List https:// origins alone in CORS_ORIGINS'
        )
    return ok(name, ', '.join(settings.cors_origins))


def _proxies(settings: Settings) -> Finding:
    name = 'proxies'
    trusted = ', '.join(str(network) for network in settings.trusted_proxies)
    if any(network in _EVERYBODY for network in settings.trusted_proxies):
        return warn(
            name, f'{trusted} are trusted: whoever reaches the API can pass for anybody',
            'List only the network of the proxies in TRUSTED_PROXIES'
        )
    if trusted:
        hops = '1 proxy' if settings.proxy_hops == 1 else f'{settings.proxy_hops} proxies in a row'
        return ok(name, f'{trusted} are trusted, with {hops}')
    if settings.env is Env.PRODUCTION:
        return warn(
            name, 'none is trusted: behind one, all clients are taken for the proxy',
            'Set TRUSTED_PROXIES to the network of the proxy, and PROXY_HOPS to how many stand in a row'
        )
    return ok(name, 'none is trusted')


def _metrics(settings: Settings) -> Finding:
    name = 'metrics'
    if settings.metrics_address is None:
        return ok(name, 'nobody is told any')
    host, port = settings.metrics_address
    if ip_address(host).is_global:
        return warn(
            name, f'whoever reaches {host} reads them, and the address is a public one',
            'Set METRICS_ADDRESS to a loopback address, or one of a private network'
        )
    return ok(name, f'Prometheus finds them at {host}, port {port}')
