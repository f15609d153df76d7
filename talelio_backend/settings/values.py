"""Types of settings, which parse the text of a variable or raise ValueError."""
import re
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainValidator

# HTTP clients are stricter about host names than urlsplit: they reject underscores, for example.
_NAME = r'[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*'
_HOST = rf'({_NAME}|\[[0-9a-f:]+\])(:\d+)?'
# RFC 3986, section 2.
_CHARACTER = r"[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]"


class SettingsGroup(BaseModel):
    """The docstring of a field documents its variable, in `.env.example` and configuration.md."""

    model_config = ConfigDict(
        alias_generator=str.upper,
        extra='ignore',
        frozen=True,
        hide_input_in_errors=True,
    )


def split_url(url: str) -> SplitResult:
    """Raises a ValueError without the URL, which may contain a password."""
    try:
        parts = urlsplit(url)
        # Reading the port validates it.
        _ = parts.port
    except ValueError:
        raise ValueError('is malformed') from None
    return parts


def sqlalchemy_url(url: str | None) -> str | None:
    if url is None:
        return None
    scheme, _, rest = url.partition('://')
    credentials, _, hosts = urlsplit(url).netloc.rpartition('@')
    if ',' in hosts:
        # SQLAlchemy takes several hosts from the query only.
        rest = rest.replace(f'{credentials}@{hosts}'.lstrip('@'), f'{credentials}@', 1)
        rest += ('&' if '?' in rest else '?') + '&'.join(f'host={host}' for host in hosts.split(','))
    parts = split_url(f'//{rest}')
    query = parse_qsl(parts.query, keep_blank_values=True)
    given = [host for name, host in query if name == 'host'] or [parts.netloc]
    # Hosting providers use the short forms; SQLAlchemy needs the driver.
    if scheme not in ('postgres', 'postgresql', 'postgresql+psycopg2') or not parts.path.strip('/') or \
            not all(split_url(f'//{host}').hostname for host in given):
        raise ValueError('must look like postgresql://user:password@host/name')
    return f'postgresql+psycopg2://{rest}'


def matching(pattern: str, form: str) -> AfterValidator:

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f'must be {form}')
        split_url(text)
        return text

    return AfterValidator(check)


def page_url(*fields: str, required: str = '') -> AfterValidator:
    """A URL template with fields such as {slug}. `required` is a pattern."""
    field = rf'\{{({"|".join(fields)})\}}'
    host = rf'([A-Za-z0-9.-]|{field}|\[[0-9a-f:]+\])+(:\d+)?'
    return matching(
        rf'(?=.*{required})https?://{host}([/?#]({_CHARACTER}|{field})*)?',
        f'a URL such as https://www.example.com/{{{fields[0]}}}, with no fields but {", ".join(fields)}',
    )


def _listen_address(text: str) -> tuple[str, int]:
    try:
        parts = split_url(f'//{text}')
        if parts.port is None or parts.netloc != text or '@' in text:
            raise ValueError
        return str(ip_address(parts.hostname or '')), parts.port
    except ValueError:
        raise ValueError('must be an IP address and a port, such as 127.0.0.1:9100') from None


_WITHOUT_SLASH = BeforeValidator(lambda url: url.rstrip('/'))

BaseUrl = Annotated[
    str, _WITHOUT_SLASH,
    matching(r'https?://[^/?#@:\s][^/?#@\s]*', 'a URL without a path, such as https://api.example.com')]
Url = Annotated[str, _WITHOUT_SLASH,
                matching(rf'https?://{_HOST}(/[^?#]*)?', 'a URL such as https://cdn.example.com')]
# No special characters: flask-cors would treat the origin as a regular expression.
Origin = Annotated[
    str,
    matching(r'[a-z][a-z0-9+.-]*://[A-Za-z0-9._-]+(:\d+)?', 'an origin such as https://www.example.com')]
HostName = Annotated[str, matching(_NAME.replace('A-Z', ''), 'a host name in lower case')]
ListenAddress = Annotated[tuple[str, int], PlainValidator(_listen_address)]

COMMA_SEPARATED = BeforeValidator(lambda text: [item.strip() for item in text.split(',') if item.strip()])
