import traceback
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.psycopg2 import dialect

from talelio_backend.app_asset.data.imaging.protocol import ImageLimits
from talelio_backend.app_asset.data.stores.s3_bucket import S3Bucket
from talelio_backend.settings import PROJECT_FOLDER, ConfigurationError, Env, Settings
from tests.support.served_api import SECRET_KEY

PRODUCTION = {
    'ENV': 'production',
    'SECRET_KEY': SECRET_KEY,
    'DATABASE_URL': 'postgresql://talelio:secret@db.example.com/talelio',
    'API_BASE_URL': 'https://api.example.com',
    'SMTP_URL': 'smtp://user:p%40ss@mail.example.com?starttls=1',
    'EMAIL_SENDER': 'Talelio <noreply@example.com>',
}

PLANTED = 'planted-secret'


def problems(environ: Mapping[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env(environ)
    return str(caught.value)


def test_required_settings_suffice_for_production() -> None:
    settings = Settings.from_env(PRODUCTION)

    assert settings.env is Env.PRODUCTION
    assert settings.smtp_server is not None
    assert (settings.smtp_server.port, settings.smtp_server.password) == (587, 'p@ss')
    assert settings.whitelisted_emails == frozenset()
    assert not settings.cors_origins
    assert settings.bcrypt_cost == 12


def test_production_reports_all_missing_settings_at_once() -> None:
    message = problems({'ENV': 'production'})

    for name in ('SECRET_KEY', 'DATABASE_URL', 'API_BASE_URL', 'SMTP_URL', 'EMAIL_SENDER'):
        assert f'{name} is missing' in message


def test_an_empty_variable_counts_as_missing() -> None:
    assert 'SECRET_KEY is missing' in problems({**PRODUCTION, 'SECRET_KEY': '  '})


@pytest.mark.parametrize(
    ('name', 'value', 'problem'),
    [
        ('ENV', 'staging', "ENV must be 'development', 'production' or 'testing'"),
        ('SECRET_KEY', 'short', 'SECRET_KEY is weak'),
        ('SECRET_KEY', 'changeme' * 8, 'SECRET_KEY is weak'),
        ('DATABASE_URL', 'mysql://somewhere/db', 'DATABASE_URL must look like postgresql://'),
        ('DATABASE_URL', 'nonsense', 'DATABASE_URL must look like postgresql://'),
        ('API_BASE_URL', 'http://api.example.com', 'API_BASE_URL must begin with https://'),
        ('API_BASE_URL', 'https://api.example.com/v1', 'API_BASE_URL must be a URL without a path'),
        ('API_BASE_URL', 'api.example.com', 'API_BASE_URL must be a URL without a path'),
        ('API_BASE_URL', 'https://[::1', 'API_BASE_URL is malformed'),
        ('API_BASE_URL', 'https://api.example.com:port', 'API_BASE_URL is malformed'),
        ('API_BASE_URL', 'https://user:pass@api.example.com', 'API_BASE_URL must be a URL without a path'),
        ('API_BASE_URL', 'https://api.example.com#x', 'API_BASE_URL must be a URL without a path'),
        ('DATABASE_URL', 'postgresql://', 'DATABASE_URL must look like'),
        ('DATABASE_URL', 'postgresql://host', 'DATABASE_URL must look like'),
        ('DATABASE_URL', 'postgresql://u:p@host:port/name', 'DATABASE_URL is malformed'),
        ('DATABASE_URL', 'postgresql://u:p@one:port,two/name', 'DATABASE_URL is malformed'),
        ('DATABASE_URL', 'postgresql://u:p@one,/name', 'DATABASE_URL must look like'),
        ('DIRECT_DATABASE_URL', 'nonsense', 'DIRECT_DATABASE_URL must look like postgresql://'),
        ('CORS_ORIGINS', 'http://[::1]:3000', 'which must be an origin'),
        ('CORS_ORIGINS', 'http://[', 'which must be an origin'),
        ('CORS_ORIGINS', '*', "CORS_ORIGINS contains '*'"),
        ('CORS_ORIGINS', 'https://ok.example.com, https://x.example.com/', 'which must be an origin'),
        (
            'WHITELISTED_EMAILS', 'maker@example.com, maker',
            "WHITELISTED_EMAILS contains 'maker', which must be an e-mail address"
        ),
        ('SMTP_URL', 'mail.example.com', 'SMTP_URL must look like'),
        ('SMTP_URL', 'smtp://host:port', 'SMTP_URL is malformed'),
        ('SMTP_URL', 'smtp://host?tls=1', 'SMTP_URL knows one option'),
        ('SMTP_URL', 'smtps://host?starttls=1', 'SMTP_URL asks for both'),
        ('SMTP_URL', 'smtp://user:pass@mail.example.com', 'SMTP_URL would send the password in clear'),
        ('EMAIL_SENDER', 'nobody', 'EMAIL_SENDER must look like'),
        ('PORT', 'http', 'PORT must be a valid integer'),
        ('PORT', '65536', 'PORT must be less than or equal to 65535'),
        ('WEB_CONCURRENCY', '0', 'WEB_CONCURRENCY must be greater than or equal to 1'),
        ('LOG_LEVEL', 'LOUD', "LOG_LEVEL must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ('BCRYPT_COST', '9', 'BCRYPT_COST must be at least 10 in production'),
        ('BCRYPT_COST', '17', 'BCRYPT_COST must be less than or equal to 16'),
        ('S3_BUCKET', 'https://bucket.example.com', 'S3_BUCKET must be the name of a bucket'),
        ('S3_BUCKET', 'bucket/folder', 'S3_BUCKET must be the name of a bucket'),
        ('S3_BASE_URL', 'cdn.example.com', 'S3_BASE_URL must be a URL'),
        ('S3_BASE_URL', 'https://user:pass@cdn.example.com', 'S3_BASE_URL must be a URL'),
        ('S3_BASE_URL', 'https://cdn.example.com?x=1', 'S3_BASE_URL must be a URL'),
        ('AWS_ENDPOINT_URL_S3', 'http://minio_server:9000', 'AWS_ENDPOINT_URL_S3 must be a URL'),
        ('AWS_ENDPOINT_URL_S3', 'minio:9000', 'AWS_ENDPOINT_URL_S3 must be a URL'),
        ('AWS_REGION', 'eu west', 'AWS_REGION must be a region'),
        ('AWS_ENDPOINT_URL_S3', 'http://minio:90000', 'AWS_ENDPOINT_URL_S3 is malformed'),
        ('CLIENT_TIMEOUT', '0', 'CLIENT_TIMEOUT must be greater than or equal to 1'),
        ('DRAIN_SECONDS', '-1', 'DRAIN_SECONDS must be greater than or equal to 0'),
        ('MAX_REQUESTS', 'none', 'MAX_REQUESTS must be a valid integer'),
        ('PROXY_HOPS', '0', 'PROXY_HOPS must be greater than or equal to 1'),
        ('TRUSTED_HOSTS', 'https://api.example.com', "TRUSTED_HOSTS contains 'https://api.example.com'"),
        ('TRUSTED_HOSTS', 'api.example.com:443', 'which must be a host name in lower case'),
        ('TRUSTED_HOSTS', '.example.com', 'which must be a host name in lower case'),
        ('TRUSTED_HOSTS', 'API.example.com', 'which must be a host name in lower case'),
        ('OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'OTEL_EXPORTER_OTLP_ENDPOINT must be a URL'),
        ('METRICS_ADDRESS', '9100', 'METRICS_ADDRESS must be an IP address and a port'),
        ('METRICS_ADDRESS', ':9100', 'METRICS_ADDRESS must be an IP address and a port'),
        ('METRICS_ADDRESS', '127.0.0.1', 'METRICS_ADDRESS must be an IP address and a port'),
        ('METRICS_ADDRESS', 'localhost:9100', 'METRICS_ADDRESS must be an IP address and a port'),
        ('METRICS_ADDRESS', '127.0.0.1:99100', 'METRICS_ADDRESS must be an IP address and a port'),
        ('METRICS_ADDRESS', '127.0.0.1:9100/metrics', 'METRICS_ADDRESS must be an IP address and a port'),
        ('TRUSTED_PROXIES', 'traefik', "TRUSTED_PROXIES contains 'traefik'"),
        ('TRUSTED_PROXIES', '172.18.0.5/16', 'which is not a valid IPv4 or IPv6 network'),
        ('TRUSTED_PROXIES', '*', 'which is not a valid IPv4 or IPv6 network'),
        ('IMAGE_MAX_BYTES', '10MB', 'IMAGE_MAX_BYTES must be a valid integer'),
        ('IMAGE_MAX_FILES', '0', 'IMAGE_MAX_FILES must be greater than or equal to 1'),
    ],
)
def test_a_malformed_or_weak_value_is_reported(name: str, value: str, problem: str) -> None:
    assert problem in problems({**PRODUCTION, 'S3_BUCKET': 'bucket', name: value})


@pytest.mark.parametrize('password', [PLANTED, f'{PLANTED}/x', f'{PLANTED}@x', f'x:{PLANTED}', f'[{PLANTED}'])
def test_problems_do_not_quote_secrets(password: str) -> None:
    message = problems({
        'ENV': 'production',
        'SECRET_KEY': PLANTED,
        'SECRET_KEY_PREVIOUS': PLANTED,
        'DATABASE_URL': f'mysql://user:{password}@host/db',
        'SMTP_URL': f'smtp://user:{password}@[host',
    })

    for name in ('SECRET_KEY', 'SECRET_KEY_PREVIOUS', 'DATABASE_URL', 'SMTP_URL'):
        assert f'- {name} ' in message
    assert PLANTED not in message


def test_the_error_does_not_reference_secrets() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env({'ENV': 'production', 'SECRET_KEY': PLANTED})

    assert PLANTED not in ''.join(traceback.format_exception(caught.value))


def test_the_repr_of_settings_contains_no_secrets() -> None:
    shown = repr(Settings.from_env(PRODUCTION))

    assert SECRET_KEY not in shown
    assert 'secret@' not in shown
    assert 'p@ss' not in shown


def test_development_requires_nothing() -> None:
    settings = Settings.from_env({'SECRET_KEY': SECRET_KEY})

    assert settings.env is Env.DEVELOPMENT
    assert settings.database_url is None
    assert settings.smtp_server is None
    assert settings.api_base_url == 'http://127.0.0.1:5000'
    assert settings.whitelisted_emails == {'maker@example.com'}
    assert settings.cors_origins == ('http://localhost:3000', )


@pytest.mark.parametrize('scheme', ['postgres', 'postgresql', 'postgresql+psycopg2'])
def test_common_forms_of_a_database_url_are_accepted(scheme: str) -> None:
    settings = Settings.from_env({**PRODUCTION, 'DATABASE_URL': f'{scheme}://u:p@host/db'})

    assert settings.database_url == 'postgresql+psycopg2://u:p@host/db'


def test_a_database_url_may_name_several_hosts() -> None:
    url = 'postgresql://u:p%40@one:5432,two:5433/db?target_session_attrs=read-write'

    settings = Settings.from_env({**PRODUCTION, 'DATABASE_URL': url})

    assert settings.database_url is not None
    _, arguments = dialect(
    ).create_connect_args(  # type: ignore[no-untyped-call]
        make_url(settings.database_url)
    )
    assert arguments == {
        'user': 'u',
        'password': 'p@',
        'host': 'one,two',
        'port': '5432,5433',
        'dbname': 'db',
        'target_session_attrs': 'read-write',
    }
    # A worker process reads what its parent has written.
    assert Settings.from_env({**PRODUCTION, 'DATABASE_URL': settings.database_url}) == settings


def test_whitelisted_addresses_are_kept_in_canonical_form() -> None:
    settings = Settings.from_env({
        **PRODUCTION, 'WHITELISTED_EMAILS': ' Maker@Example.com ,,x@bücher.example '
    })

    assert settings.whitelisted_emails == {'maker@example.com', 'x@xn--bcher-kva.example'}


def test_images_are_stored_in_a_folder_without_a_bucket() -> None:
    settings = Settings.from_env({'SECRET_KEY': SECRET_KEY, 'IMAGE_FOLDER': '/srv/images'})

    assert settings.image_store == Path('/srv/images')
    assert settings.image_limits == ImageLimits()


@pytest.mark.parametrize(
    ('environ', 'url'),
    [
        ({}, 'https://s3.amazonaws.com/bucket/key'),
        ({'AWS_REGION': 'us-east-1'}, 'https://s3.amazonaws.com/bucket/key'),
        ({'AWS_REGION': 'eu-central-1', 'AWS_DEFAULT_REGION': 'eu-west-1'},
         'https://s3-eu-central-1.amazonaws.com/bucket/key'),
        ({'AWS_DEFAULT_REGION': 'eu-west-1'}, 'https://s3-eu-west-1.amazonaws.com/bucket/key'),
        ({'AWS_ENDPOINT_URL_S3': 'http://minio:9000/'}, 'http://minio:9000/bucket/key'),
        ({'AWS_ENDPOINT_URL': 'http://minio:9000', 'AWS_REGION': 'eu-west-1'},
         'http://minio:9000/bucket/key'),
        ({'S3_BASE_URL': 'https://cdn.example.com/pictures/', 'AWS_ENDPOINT_URL_S3': 'http://minio:9000'},
         'https://cdn.example.com/pictures/key'),
    ],
)  # yapf: disable
def test_the_bucket_uses_the_configured_region_and_endpoint(environ: dict[str, str], url: str) -> None:
    settings = Settings.from_env({**PRODUCTION, 'S3_BUCKET': 'bucket', **environ})

    assert isinstance(settings.image_store, S3Bucket)
    assert settings.image_store.url('key') == url


@pytest.mark.parametrize(
    ('folder', 'absolute'),
    [('pictures', PROJECT_FOLDER / 'pictures'), ('/srv/pictures', Path('/srv/pictures')),
     ('~/pictures', Path.home() / 'pictures')],
)  # yapf: disable
def test_the_image_folder_does_not_depend_on_the_working_directory(
    folder: str, absolute: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert Settings.from_env({'SECRET_KEY': SECRET_KEY, 'IMAGE_FOLDER': folder}).image_store == absolute


def test_the_hosts_of_links_and_loopback_are_served() -> None:
    settings = Settings.from_env({**PRODUCTION, 'TRUSTED_HOSTS': 'api, old.example.com'})

    assert settings.served_hosts == ['api.example.com', 'localhost', '127.0.0.1', 'api', 'old.example.com']


def test_the_hosts_of_the_site_are_those_of_its_pages() -> None:
    pages = {
        'SITE_PROJECT_URL': 'https://{username}.Makers.example:8443/{slug}',
        'SITE_USER_URL': 'https://www.example.com/{username}',
        'FRONTEND_URL': 'https://www.example.com',
        'EMBED_HOSTS': 'video.example, player.example',
    }
    settings = Settings.from_env({'ENV': 'testing', **pages})

    assert settings.site_hosts == ['*.makers.example', 'www.example.com']
    assert settings.embed_hosts == ('video.example', 'player.example')
    assert Settings.from_env({'ENV': 'testing'}).site_hosts == []


def test_no_proxy_is_trusted_by_default() -> None:
    assert not Settings.from_env(PRODUCTION).trusted_proxies

    settings = Settings.from_env({**PRODUCTION, 'TRUSTED_PROXIES': '172.18.0.0/16, 10.0.0.7, fd00::/8'})

    assert settings.trusted_proxies == (
        ip_network('172.18.0.0/16'), ip_network('10.0.0.7/32'), ip_network('fd00::/8')
    )


@pytest.mark.parametrize(
    ('address', 'read'),
    [('', None), ('127.0.0.1:9100', ('127.0.0.1', 9100)), ('[::1]:0', ('::1', 0))],
)
def test_metrics_are_disabled_by_default(address: str, read: object) -> None:
    assert Settings.from_env({**PRODUCTION, 'METRICS_ADDRESS': address}).metrics_address == read


def test_only_production_drains_by_default() -> None:
    assert Settings.from_env(PRODUCTION).drain_seconds == 10
    assert Settings.from_env({'SECRET_KEY': SECRET_KEY}).drain_seconds == 0
    assert Settings.from_env({**PRODUCTION, 'DRAIN_SECONDS': '0'}).drain_seconds == 0


@pytest.fixture(name='env_file')
def fixture_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in Settings.model_fields.values():
        monkeypatch.delenv(str(variable.alias), raising=False)
    monkeypatch.setenv('SECRET_KEY', SECRET_KEY)
    return tmp_path / '.env'


def test_the_environment_overrides_the_file(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text('PORT=8001\nPROXY_HOPS=3\nMAX_REQUESTS=\n')
    monkeypatch.setenv('PORT', '8002')

    settings = Settings.from_env(env_file=env_file)

    assert (settings.port, settings.proxy_hops, settings.max_requests) == (8002, 3, 20_000)


def test_an_empty_variable_overrides_the_file(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text('PORT=8001\n')
    monkeypatch.setenv('PORT', '')

    assert Settings.from_env(env_file=env_file).port == 5000


def test_variable_names_are_case_sensitive(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('port', '8002')

    assert Settings.from_env(env_file=env_file).port == 5000


def test_the_file_is_optional(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('TRUSTED_HOSTS', 'a.example, b.example')

    assert Settings.from_env(env_file=env_file).trusted_hosts == ('a.example', 'b.example')


def test_settings_are_frozen() -> None:
    settings = Settings.from_env(PRODUCTION)

    with pytest.raises(ValidationError):
        settings.port = 1
