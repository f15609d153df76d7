import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r'[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|[0-9a-f:]+')


class EnvironmentReader:
    """Reads one variable after another and collects what is wrong, so that one start shows it all."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        # A variable that is set to nothing counts as absent: compose files and shells make those.
        self._environ = {k: v.strip() for k, v in environ.items() if v.strip()}
        self.problems: list[str] = []

    def _complain(self, name: str, what: str) -> None:
        self.problems.append(f'{name} {what}')

    def _integer(self, name: str, *, default: int, low: int, high: int) -> int:
        text = self._environ.get(name, str(default))
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        self._complain(name, f'must be a whole number from {low} to {high}')
        return default

    def _url(self, *names: str) -> str | None:
        """The first of these variables that is set."""
        for name in names:
            if name in self._environ:
                url = self._environ[name].rstrip('/')
                if not _is_plain_url(url):
                    self._complain(name, 'must look like https://cdn.example.com')
                return url
        return None


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
