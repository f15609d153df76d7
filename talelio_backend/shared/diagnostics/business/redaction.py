"""Redacts secrets of the environment in reports."""
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import parse_qsl, unquote

_SECRET_NAME = re.compile(r'SECRET|PASSW|TOKEN|(?<!ACCESS)_KEY$')
# Greedy up to the last @: a password may contain an unescaped one.
_LOGIN_IN_URL = re.compile(r'://[^/:@]*:(?P<password>.*)@', re.DOTALL)
# A misparsed URL may be quoted in parts.
_SEPARATORS = re.compile(r'[@/?#:]')

# Characters. Shorter values are no secrets, and replacing them would garble the text.
_SHORTEST = 4
_HIDDEN = '***'


def redactor(environ: Mapping[str, str]) -> Callable[[str], str]:
    """Return a function that replaces every secret of the environment in a text."""
    secrets = {secret for name, value in environ.items() for secret in _secrets(name, value.strip())}
    # The longest first: a secret may contain another.
    words = sorted((secret for secret in secrets if len(secret) >= _SHORTEST), key=len, reverse=True)
    if not words:
        return lambda text: text
    pattern = re.compile('|'.join(re.escape(word) for word in words))
    return lambda text: pattern.sub(_HIDDEN, text)


def _secrets(name: str, value: str) -> Iterator[str]:
    if _SECRET_NAME.search(name):
        yield value
    login = _LOGIN_IN_URL.search(value)
    passwords = [login['password']] if login else []
    passwords += [text for key, text in parse_qsl(value.partition('?')[2]) if 'password' in key]
    for password in passwords:
        yield from (password, unquote(password), *_SEPARATORS.split(password))
