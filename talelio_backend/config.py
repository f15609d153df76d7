"""What the service is told from outside: environment variables, or a `.env` file beside the Makefile."""
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values

from talelio_backend.app_account.business.email_address import canonical_email
from talelio_backend.development_key import kept_secret_key
from talelio_backend.environment import EnvironmentReader, split_url
from talelio_backend.image_settings import ImageSettings
from talelio_backend.server_settings import ServerSettings
from talelio_backend.shared.business.audit import Retention
from talelio_backend.shared.data.smtp_server import SmtpServer

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
VAR_FOLDER = PROJECT_FOLDER / 'var'
# Of the embedded server.
POSTGRES_FOLDER = VAR_FOLDER / 'postgres'

# HS256 wants a key of at least its hash's length, 32 bytes (RFC 7518, section 3.2).
MINIMUM_SECRET_KEY_LENGTH = 32

# Threads of a worker process that serve requests: up to eight may hash or wait to, eight may render or wait
# to, eight may upload, and eight are left for requests that only read.
THREADS = 32

DEVELOPMENT_EMAIL = 'maker@example.com'

_LOG_LEVELS = ('DEBUG', 'INFO', 'WARNING', 'ERROR')


class ConfigurationError(Exception):
    """Some settings are missing, malformed or too weak; the message names each of them, and no secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            'The settings do not let the service start:\n' +
            '\n'.join(f'  - {problem}' for problem in problems)
        )


class Env(StrEnum):
    DEVELOPMENT = 'development'
    PRODUCTION = 'production'
    TESTING = 'testing'


@dataclass(frozen=True, kw_only=True)
class Settings:
    env: Env
    secret_key: str = field(repr=False)
    # Whose tokens are still good, though it makes none any more.
    previous_secret_key: str | None = field(repr=False)
    # None stands for the embedded server, which only development and testing have.
    database_url: str | None = field(repr=False)
    # In canonical form.
    whitelisted_emails: frozenset[str]
    api_base_url: str
    # Whose pages the links in mails lead to; None stands for the API itself.
    frontend_url: str | None
    cors_origins: tuple[str, ...]
    # Of the site's pages, with the names of what is to be filled in; None where there is no site.
    site_project_url: str | None
    site_user_url: str | None
    # None stands for a folder that keeps the mail.
    smtp_server: SmtpServer | None
    email_sender: str
    server: ServerSettings
    log_level: str
    # The work factor of a password's hash: 2 to this power rounds.
    bcrypt_cost: int
    images: ImageSettings
    # Of the audit trail.
    retention: Retention
    mail_folder: Path = VAR_FOLDER / 'mail'

    @property
    def secret_keys(self) -> tuple[str, str | None]:
        """The one that signs, and the one before."""
        return self.secret_key, self.previous_secret_key

    @property
    def served_hosts(self) -> list[str]:
        """The host names that a request may come under."""
        # A machine's own checks come to it by its loopback address.
        return [
            urlsplit(self.api_base_url).hostname or '', 'localhost', '127.0.0.1', *self.server.trusted_hosts
        ]

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings from `environ`, by default the process's environment over `.env`.

        Raises ConfigurationError, which names everything that is wrong at once.
        """
        if environ is None:
            in_file = dotenv_values(PROJECT_FOLDER / '.env')
            environ = {k: v for k, v in in_file.items() if v is not None} | dict(os.environ)
        reader = _Reader(environ)
        settings = cls(**reader.read())
        if reader.problems:
            raise ConfigurationError(reader.problems)
        return settings


class _Reader(EnvironmentReader):

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ)
        self._env = Env.DEVELOPMENT
        try:
            self._env = Env(self._environ.get('ENV', Env.DEVELOPMENT))
        except ValueError:
            self.complain('ENV', 'must be one of ' + ', '.join(Env))

    def read(self) -> dict[str, Any]:
        server = ServerSettings.read(self, drain_seconds=10 if self._production else 0)
        return {
            'env': self._env,
            'secret_key': self._secret_key(),
            'previous_secret_key': self._strong_key('SECRET_KEY_PREVIOUS'),
            'database_url': self._database_url(),
            'whitelisted_emails': self._whitelisted_emails(),
            'api_base_url': self._api_base_url(f'http://{server.host}:{server.port}'),
            'frontend_url': self.url('FRONTEND_URL'),
            'cors_origins': self.origins('CORS_ORIGINS', self._development_default('http://localhost:3000')),
            'site_project_url': self.page_url('SITE_PROJECT_URL', one_of=('slug', 'id'), also=('username', )),
            'site_user_url': self.page_url('SITE_USER_URL', also=('username', )),
            'smtp_server': self._smtp_server(),
            'email_sender': self._email_sender(),
            'server': server,
            'log_level': self._log_level(),
            'bcrypt_cost': self.integer('BCRYPT_COST', default=12, low=self._minimum_cost, high=16),
            'images': ImageSettings.read(self, project_folder=PROJECT_FOLDER),
            'retention': self._retention(),
        }

    @property
    def _production(self) -> bool:
        return self._env is Env.PRODUCTION

    def _development_default(self, default: str) -> str:
        return '' if self._production else default

    @property
    def _minimum_cost(self) -> int:
        # OWASP's Password Storage Cheat Sheet asks for 10 or more; tests may be quicker.
        return 10 if self._production else 4

    def _needed(self, name: str, development: str) -> str:
        """A value that production must set and other environments have a default for."""
        if name in self._environ:
            return self._environ[name]
        if self._production:
            self.complain(name, 'is missing')
        return development

    def _whitelisted_emails(self) -> frozenset[str]:
        canonical = set()
        for address in self.items('WHITELISTED_EMAILS', self._development_default(DEVELOPMENT_EMAIL)):
            email = canonical_email(address)
            if email is None:
                self.complain('WHITELISTED_EMAILS', f"holds '{address}', which is no address")
            else:
                canonical.add(email)
        return frozenset(canonical)

    def _secret_key(self) -> str:
        key = self._strong_key('SECRET_KEY')
        if key is None:
            if self._production:
                self.complain('SECRET_KEY', 'is missing')
                return ''
            return kept_secret_key(VAR_FOLDER / 'secret_key')
        return key

    def _strong_key(self, name: str) -> str | None:
        key = self._environ.get(name)
        if key is not None and (len(key) < MINIMUM_SECRET_KEY_LENGTH or len(set(key)) < 10):
            # A key of few different characters is a placeholder: a random one of this length has more.
            self.complain(
                name, f'is weak: make one of {MINIMUM_SECRET_KEY_LENGTH} or more random '
                'characters, for example with: python3 -c "import secrets; '
                'print(secrets.token_urlsafe(48))"'
            )
        return key

    def _database_url(self) -> str | None:
        url = self._environ.get('DATABASE_URL')
        if url is None:
            if self._production:
                self.complain('DATABASE_URL', 'is missing')
            return None
        scheme, separator, rest = url.partition('://')
        # Hosting providers write the short forms; SQLAlchemy wants the driver named.
        parts = split_url(url)
        if not separator or scheme not in ('postgres', 'postgresql', 'postgresql+psycopg2') or \
                parts is None or not parts.hostname or not parts.path.strip('/'):
            self.complain('DATABASE_URL', 'must look like postgresql://user:password@host/name')
        return f'postgresql+psycopg2://{rest}'

    def _api_base_url(self, development: str) -> str:
        url = self._needed('API_BASE_URL', development).rstrip('/')
        parts = split_url(url)
        if parts is None or url != f'{parts.scheme}://{parts.netloc}' or not parts.hostname or \
                parts.scheme not in ('http', 'https') or '@' in parts.netloc:
            self.complain('API_BASE_URL', 'must look like https://api.example.com, without a path')
        elif self._production and parts.scheme != 'https':
            self.complain('API_BASE_URL', 'must begin with https:// in production')
        return url

    def _smtp_server(self) -> SmtpServer | None:
        url = self._needed('SMTP_URL', '')
        if not url:
            return None
        try:
            server = SmtpServer.from_url(url)
        except ValueError as error:
            # urlsplit's own errors may quote the URL, and with it the password.
            reason = str(error) if str(error).startswith(('must', 'knows', 'asks')) else 'is malformed'
            self.complain('SMTP_URL', reason)
            return None
        if self._production and server.sends_password_in_clear:
            self.complain('SMTP_URL', 'would send the password in clear: use smtps:// or ?starttls=1')
        return server

    def _retention(self) -> Retention:
        addresses = self.integer('AUDIT_ADDRESS_DAYS', default=30, low=1, high=3650)
        events = self.integer('AUDIT_DAYS', default=365, low=1, high=3650)
        return Retention(addresses=timedelta(days=addresses), events=timedelta(days=events))

    def _email_sender(self) -> str:
        sender = self._needed('EMAIL_SENDER', 'Talelio <noreply@localhost>')
        if '@' not in parseaddr(sender)[1] or '\n' in sender or '\r' in sender:
            self.complain('EMAIL_SENDER', 'must look like My site <noreply@example.com>')
        return sender

    def _log_level(self) -> str:
        level = self._environ.get('LOG_LEVEL', 'INFO').upper()
        if level not in _LOG_LEVELS:
            self.complain('LOG_LEVEL', 'must be one of ' + ', '.join(_LOG_LEVELS))
        return level
