from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """A mail server. `starttls` upgrades a plain connection; `implicit_tls` is `smtps://`."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    starttls: bool = False
    implicit_tls: bool = False

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read `smtp://user:pass@host:587?starttls=1` or `smtps://user:pass@host`. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in ('smtp', 'smtps') or not parts.hostname:
            raise ValueError('must look like smtp://user:pass@host:587?starttls=1 or smtps://…')
        options = parse_qs(parts.query, keep_blank_values=True)
        if set(options) - {'starttls'} or options.get('starttls', ['0'])[-1] not in ('0', '1'):
            raise ValueError('knows one option, starttls=1 or starttls=0')
        implicit_tls = parts.scheme == 'smtps'
        starttls = options.get('starttls') == ['1']
        if implicit_tls and starttls:
            raise ValueError('asks for both implicit TLS (smtps) and starttls')
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if implicit_tls else 587 if starttls else 25),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            starttls=starttls,
            implicit_tls=implicit_tls
        )

    @property
    def sends_password_in_clear(self) -> bool:
        return bool(self.password) and not (self.starttls or self.implicit_tls)
