"""The settings: environment variables, or lines of a `.env` file beside the Makefile."""
import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from talelio_backend.app_account.business.domain.email_address import canonical_email
from talelio_backend.settings.folders import PROJECT_FOLDER, VAR_FOLDER
from talelio_backend.settings.images import ImageSettings
from talelio_backend.settings.server import ServerSettings
from talelio_backend.settings.values import (
    COMMA_SEPARATED,
    BaseUrl,
    HostName,
    Origin,
    Url,
    page_url,
    split_url,
    sqlalchemy_url,
)
from talelio_backend.shared.audit.business.audit_trail import Retention
from talelio_backend.shared.mail.data.smtp_server import SmtpServer

T = TypeVar('T')

DEVELOPMENT_EMAIL = 'maker@example.com'

# Defaults outside production. Production requires each setting that has no default below.
DEVELOPMENT: Mapping[str, str | None] = {
    'ENV': 'development',
    'DATABASE_URL': None,
    'WHITELISTED_EMAILS': DEVELOPMENT_EMAIL,
    'CORS_ORIGINS': 'http://localhost:3000',
    'SMTP_URL': None,
    'EMAIL_SENDER': 'Talelio <noreply@localhost>',
    'DRAIN_SECONDS': '0',
}


class ConfigurationError(Exception):
    """Settings are missing, malformed or too weak. The message lists all of them without secrets."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__('\n  - '.join(['Invalid configuration:', *problems]))
        self.problems = problems


class Env(StrEnum):
    DEVELOPMENT = 'development'
    PRODUCTION = 'production'
    TESTING = 'testing'


def _strong_key(key: str) -> str:
    # HS256 requires 32 bytes (RFC 7518, section 3.2). Few different characters suggest a placeholder.
    if len(key) < 32 or len(set(key)) < 10:
        raise ValueError(
            'is weak: use 32 or more random characters, for example from: '
            'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    return key


def _email(text: str) -> str:
    email = canonical_email(text)
    if email is None:
        raise ValueError('must be an e-mail address')
    return email


def _sender(text: str) -> str:
    if '@' not in parseaddr(text)[1] or '\n' in text or '\r' in text:
        raise ValueError('must look like My site <noreply@example.com>')
    return text


def _smtp_server(url: str | None) -> SmtpServer | None:
    return None if url is None or not split_url(url) else SmtpServer.from_url(url)


_SecretKey = Annotated[str, AfterValidator(_strong_key)]
_Email = Annotated[str, AfterValidator(_email)]


class Settings(ServerSettings, ImageSettings):
    """All settings. A validator can access only the fields above its own."""

    env: Env
    """`development`, `production` or `testing`."""
    secret_key: _SecretKey = Field(repr=False)
    """Signs all tokens: 32 or more random characters. Development makes a key and keeps it in
    `var/secret_key`."""
    secret_key_previous: _SecretKey | None = Field(None, repr=False)
    """While the key is being changed: the one before it, whose tokens stay valid."""
    database_url: Annotated[str | None, PlainValidator(sqlalchemy_url)] = \
        Field(repr=False, examples=['postgresql://user:password@localhost:5432/talelio'])
    """The PostgreSQL database. Development runs a server of its own, with its data in `var/postgres`. May
    name several hosts: `postgresql://user:password@one:5432,two:5432/talelio?target_session_attrs=read-write`
    finds the one that can be written to."""
    direct_database_url: Annotated[str | None, PlainValidator(sqlalchemy_url)] = Field(
        None, repr=False, examples=['postgresql://user:password@database.internal:5432/talelio']
    )
    """Where `DATABASE_URL` leads to a connection pooler, such as PgBouncer in transaction mode: the same
    database without the pooler. Migrations and notifications of changes use it, and migrations store the
    sessions' time-outs in the role of `DATABASE_URL`, since a pooler takes none from its clients."""
    api_base_url: BaseUrl = Field(examples=['https://api.example.com'])
    """What links in mails begin with: scheme and host, no path. Development makes it of `HOST` and `PORT`."""
    frontend_url: Url | None = Field(None, examples=['https://www.example.com'])
    """The frontend whose pages (`/verify-email`, `/reset-password`, `/confirm-email`, `/revoke-email`) links
    in mails lead to; by default they lead to the API."""
    cors_origins: Annotated[tuple[Origin, ...], COMMA_SEPARATED] = ()
    """Origins of the frontends that may call the API from a browser, separated by commas."""
    site_project_url: Annotated[str, page_url('slug', 'id', 'username', required=r'\{(slug|id)\}')] | None = \
        Field(None, examples=['https://www.example.com/{username}/{slug}'])
    """The site's page of a project, for feeds and sitemaps, with `{slug}` or `{id}`, and perhaps
    `{username}`; by default the project in the API."""
    site_user_url: Annotated[str, page_url('username')] | None = \
        Field(None, examples=['https://www.example.com/{username}'])
    """The site's page of a user, with or without `{username}`; by default the user's projects in the API."""
    embed_hosts: Annotated[tuple[HostName, ...], COMMA_SEPARATED] = \
        Field((), examples=['www.youtube-nocookie.com,player.vimeo.com'])
    """Hosts whose pages texts may embed by `<iframe>`, separated by commas; none by default. After a change
    run `flask projects render --all`. The site's own pages are never embedded."""
    whitelisted_emails: Annotated[frozenset[_Email], COMMA_SEPARATED] = frozenset()
    """Who may register, separated by commas, besides the addresses of `flask whitelist`."""
    smtp_server: Annotated[SmtpServer | None, PlainValidator(_smtp_server)] = \
        Field(alias='SMTP_URL', examples=['smtp://user:password@mail.example.com:587?starttls=1'])
    """The mail server: `smtp://…?starttls=1` for STARTTLS, `smtps://…` for implicit TLS. Development keeps
    mail in `var/mail` without it."""
    email_sender: Annotated[str, AfterValidator(_sender)] = Field(examples=['My site <noreply@example.com>'])
    """The sender of all mail."""
    log_level: Annotated[Literal['DEBUG', 'INFO', 'WARNING', 'ERROR'], BeforeValidator(str.upper)] = 'INFO'
    """`DEBUG`, `INFO`, `WARNING` or `ERROR`."""
    bcrypt_cost: int = Field(12, ge=4, le=16)
    """Work factor of password hashes: 2 to this power rounds, in production at least 10. After a raise, the
    next login renews an account's hash."""
    audit_address_days: int = Field(30, ge=1, le=3650)
    """Days after which the audit trail reduces addresses to their network."""
    audit_days: int = Field(365, ge=1, le=3650)
    """Days after which the audit trail deletes events."""

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        env_file: Path = PROJECT_FOLDER / '.env'
    ) -> 'Settings':
        """Read the settings from `environ`, by default from the process's environment over `.env`.

        Raises ConfigurationError, which lists all problems at once.
        """
        try:
            if environ is not None:
                return cls.model_validate(environ)
            # mypy does not know the arguments of BaseSettings.
            return _Environment(_env_file=env_file)  # type: ignore[call-arg]
        except ValidationError as error:
            problems = [_problem(each) for each in error.errors()]
        raise ConfigurationError(problems)

    @property
    def secret_keys(self) -> tuple[str, str | None]:
        """The signing key and the previous one."""
        return self.secret_key, self.secret_key_previous

    @property
    def served_hosts(self) -> list[str]:
        """The host names that requests may use."""
        # Local health checks use the loopback address.
        return [urlsplit(self.api_base_url).hostname or '', 'localhost', '127.0.0.1', *self.trusted_hosts]

    @property
    def site_hosts(self) -> list[str]:
        """The host names of the site's pages, with `*` for a field in them."""
        urls = [
            url for url in (self.site_project_url, self.site_user_url, self.frontend_url) if url is not None
        ]
        return sorted({urlsplit(re.sub(r'\{\w+\}', '*', url)).hostname or '' for url in urls})

    @property
    def retention(self) -> Retention:
        return Retention(
            addresses=timedelta(days=self.audit_address_days), events=timedelta(days=self.audit_days)
        )

    @model_validator(mode='before')
    @classmethod
    def _with_defaults(cls, variables: Mapping[str, str | None]) -> Mapping[str, str | None]:
        # Compose files and shells may set empty variables; those count as unset.
        given = {name: text.strip() for name, text in variables.items() if text and text.strip()}
        if given.get('ENV') == Env.PRODUCTION:
            return given
        if 'SECRET_KEY' not in given:
            # pylint: disable-next=import-outside-toplevel
            from talelio_backend.development.secret_key import load_or_create_secret_key
            given['SECRET_KEY'] = load_or_create_secret_key(VAR_FOLDER / 'secret_key')
        base_url = f'http://{given.get("HOST", "127.0.0.1")}:{given.get("PORT", "5000")}'
        return {**DEVELOPMENT, 'API_BASE_URL': base_url, **given}

    @field_validator('api_base_url', 'smtp_server', 'bcrypt_cost')
    @classmethod
    def _is_strong_enough(cls, value: T, info: ValidationInfo) -> T:
        if info.data.get('env') is Env.PRODUCTION:
            if isinstance(value, str) and not value.startswith('https:'):
                raise ValueError('must begin with https:// in production')
            if isinstance(value, SmtpServer) and value.sends_password_in_clear:
                raise ValueError('would send the password in clear text: use smtps:// or ?starttls=1')
            # OWASP's Password Storage Cheat Sheet requires at least 10.
            if isinstance(value, int) and value < 10:
                raise ValueError('must be at least 10 in production')
        return value


class _Environment(BaseSettings, Settings):
    model_config = SettingsConfigDict(
        case_sensitive=True,
        enable_decoding=False,
        validate_default=False,
    )


def _problem(error: Any) -> str:
    reason = str(error['ctx']['error']) if error['type'] == 'value_error' else error['msg']
    for theirs, ours in (('Field required', 'is missing'), ('Input should', 'must'), ('value is', 'is')):
        reason = reason.replace(theirs, ours)
    name, *index = error['loc']
    # No list contains secrets.
    return f'{name} contains {error["input"]!r}, which {reason}' if index else f'{name} {reason}'
