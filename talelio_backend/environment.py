import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r'[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|[0-9a-f:]+')
# What a URL may consist of (RFC 3986, section 2).
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+")
_HOST_NAME = re.compile(r'[a-z0-9-]+(\.[a-z0-9-]+)*')


class EnvironmentReader:
    """Reads one variable after another and collects what is wrong, so that one start shows it all."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        # A variable that is set to nothing counts as absent: compose files and shells make those.
        self._environ = {k: v.strip() for k, v in environ.items() if v.strip()}
        self.problems: list[str] = []

    def complain(self, name: str, what: str) -> None:
        self.problems.append(f'{name} {what}')

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name, default)

    def integer(self, name: str, *, default: int, low: int, high: int) -> int:
        text = self._environ.get(name, str(default))
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        self.complain(name, f'must be a whole number from {low} to {high}')
        return default

    def items(self, name: str, default: str = '') -> tuple[str, ...]:
        text = self._environ.get(name, default)
        return tuple(item.strip() for item in text.split(',') if item.strip())

    def origins(self, name: str, default: str) -> tuple[str, ...]:
        origins = self.items(name, default)
        for origin in origins:
            parts = split_url(origin)
            # What looks like a regular expression would be taken for one.
            if parts is None or origin != f'{parts.scheme}://{parts.netloc}' or \
                    set(origin) & set('*?[]\\^$|()') or not parts.hostname:
                self.complain(
                    name, f"holds '{origin}', which is not an origin such as https://www.example.com"
                )
        return origins

    def host_names(self, name: str) -> tuple[str, ...]:
        names = self.items(name)
        for host in names:
            if not _HOST_NAME.fullmatch(host):
                self.complain(
                    name,
                    f"holds '{host}', which is not a host name such as api.example.com, in small letters"
                )
        return names

    def networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        networks = []
        for item in self.items(name):
            try:
                networks.append(ip_network(item))
            except ValueError:
                self.complain(
                    name, f"holds '{item}', which is not an address or a network such as 172.18.0.0/16"
                )
        return tuple(networks)

    def address(self, name: str) -> tuple[str, int] | None:
        """Where to listen: a host, which is an IP address, and a port."""
        if name not in self._environ:
            return None
        parts = split_url(f'//{self._environ[name]}')
        try:
            if parts is None or parts.port is None or parts.netloc != self._environ[name
                                                                                    ] or '@' in parts.netloc:
                raise ValueError
            return str(ip_address(parts.hostname or '')), parts.port
        except ValueError:
            self.complain(name, 'must be an IP address and a port, such as 127.0.0.1:9100')
            return None

    def url(self, *names: str) -> str | None:
        """The first of these variables that is set."""
        for name in names:
            if name in self._environ:
                url = self._environ[name].rstrip('/')
                if not _is_plain_url(url):
                    self.complain(name, 'must look like https://cdn.example.com')
                return url
        return None

    def page_url(self, name: str, *, one_of: Sequence[str] = (), also: Sequence[str] = ()) -> str | None:
        """The address of a kind of page, with fields such as {slug}, of which it must have one of some."""
        url = self._environ.get(name)
        if url is None:
            return None
        known = [f'{{{field}}}' for field in (*one_of, *also)]
        plain = url
        for field in known:
            plain = plain.replace(field, 'x')
        if not _is_page_url(plain):
            self.complain(
                name,
                f"must look like https://www.example.com/{known[0]}, with no fields but {', '.join(known)}"
            )
        elif one_of and not any(field in url for field in known[:len(one_of)]):
            self.complain(name, f"must hold {' or '.join(known[:len(one_of)])}")
        return url


def _is_page_url(url: str) -> bool:
    parts = split_url(url)
    if parts is None or parts.scheme not in ('http', 'https') or '@' in parts.netloc:
        return False
    return bool(_HOST.fullmatch(parts.hostname or '') and _URL_CHARACTERS.fullmatch(url))


def _is_plain_url(url: str) -> bool:
    parts = split_url(url)
    if parts is None or parts.scheme not in ('http', 'https'):
        return False
    # Whoever connects there is stricter about a host's name than urlsplit: no underscore, for example.
    return bool(_HOST.fullmatch(parts.hostname or '')) and '@' not in parts.netloc and \
        url == f'{parts.scheme}://{parts.netloc}{parts.path}'


def split_url(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        # Reading it is what checks it.
        _ = parts.port
    except ValueError:
        return None
    return parts
