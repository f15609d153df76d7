from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest

from talelio_backend.config import PROJECT_FOLDER, ConfigurationError, Env, Settings
from tests.support.served_api import SECRET_KEY

PRODUCTION = {
    'ENV': 'production',
    'SECRET_KEY': SECRET_KEY,
    'DATABASE_URL': 'postgresql://talelio:secret@db.example.com/talelio',
    'API_BASE_URL': 'https://api.example.com',
    'SMTP_URL': 'smtp://user:p%40ss@mail.example.com?starttls=1',
    'EMAIL_SENDER': 'Talelio <noreply@example.com>',
}


def problems(environ: Mapping[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env(environ)
    return str(caught.value)


def test_production_starts_with_what_it_needs() -> None:
    settings = Settings.from_env(PRODUCTION)

    assert settings.env is Env.PRODUCTION
    assert settings.smtp_server is not None
    assert (settings.smtp_server.port, settings.smtp_server.password) == (587, 'p@ss')
    assert settings.whitelisted_emails == frozenset()
    assert not settings.cors_origins
    assert settings.bcrypt_cost == 12


def test_production_names_everything_that_is_missing_at_once() -> None:
    message = problems({'ENV': 'production'})

    for name in ('SECRET_KEY', 'DATABASE_URL', 'API_BASE_URL', 'SMTP_URL', 'EMAIL_SENDER'):
        assert f'{name} is missing' in message


def test_a_variable_that_is_set_to_nothing_is_missing() -> None:
    assert 'SECRET_KEY is missing' in problems({**PRODUCTION, 'SECRET_KEY': '  '})


@pytest.mark.parametrize(
    ('name', 'value', 'complaint'),
    [
        ('ENV', 'staging', 'ENV must be one of development, production, testing'),
        ('SECRET_KEY', 'short', 'SECRET_KEY is weak'),
        ('SECRET_KEY', 'changeme' * 8, 'SECRET_KEY is weak'),
        ('DATABASE_URL', 'mysql://somewhere/db', 'DATABASE_URL must look like postgresql://'),
        ('DATABASE_URL', 'nonsense', 'DATABASE_URL must look like postgresql://'),
        ('API_BASE_URL', 'http://api.example.com', 'API_BASE_URL must begin with https://'),
        ('API_BASE_URL', 'https://api.example.com/v1', 'API_BASE_URL must look like'),
        ('API_BASE_URL', 'api.example.com', 'API_BASE_URL must look like'),
        ('API_BASE_URL', 'https://[::1', 'API_BASE_URL must look like'),
        ('API_BASE_URL', 'https://api.example.com:port', 'API_BASE_URL must look like'),
        ('API_BASE_URL', 'https://user:pass@api.example.com', 'API_BASE_URL must look like'),
        ('API_BASE_URL', 'https://api.example.com#x', 'API_BASE_URL must look like'),
        ('DATABASE_URL', 'postgresql://', 'DATABASE_URL must look like'),
        ('DATABASE_URL', 'postgresql://host', 'DATABASE_URL must look like'),
        ('DATABASE_URL', 'postgresql://u:p@host:port/name', 'DATABASE_URL must look like'),
        ('CORS_ORIGINS', 'http://[::1]:3000', 'which is not an origin'),
        ('CORS_ORIGINS', 'http://[', 'which is not an origin'),
        ('CORS_ORIGINS', '*', "CORS_ORIGINS holds '*'"),
        ('CORS_ORIGINS', 'https://ok.example.com, https://x.example.com/', 'which is not an origin'),
        ('WHITELISTED_EMAILS', 'maker@example.com, maker', "WHITELISTED_EMAILS holds 'maker'"),
        ('SMTP_URL', 'mail.example.com', 'SMTP_URL must look like'),
        ('SMTP_URL', 'smtp://host:port', 'SMTP_URL is malformed'),
        ('SMTP_URL', 'smtp://host?tls=1', 'SMTP_URL knows one option'),
        ('SMTP_URL', 'smtps://host?starttls=1', 'SMTP_URL asks for both'),
        ('SMTP_URL', 'smtp://user:pass@mail.example.com', 'SMTP_URL would send the password in clear'),
        ('EMAIL_SENDER', 'nobody', 'EMAIL_SENDER must look like'),
        ('PORT', 'http', 'PORT must be a whole number from 0 to 65535'),
        ('PORT', '65536', 'PORT must be a whole number from 0 to 65535'),
        ('WEB_CONCURRENCY', '0', 'WEB_CONCURRENCY must be a whole number from 1 to 64'),
        ('LOG_LEVEL', 'LOUD', 'LOG_LEVEL must be one of'),
        ('BCRYPT_COST', '9', 'BCRYPT_COST must be a whole number from 10 to 16'),
        ('S3_BUCKET', 'https://bucket.example.com', 'S3_BUCKET must be the name of a bucket'),
        ('S3_BUCKET', 'bucket/folder', 'S3_BUCKET must be the name of a bucket'),
        ('S3_BASE_URL', 'cdn.example.com', 'S3_BASE_URL must look like'),
        ('S3_BASE_URL', 'https://user:pass@cdn.example.com', 'S3_BASE_URL must look like'),
        ('S3_BASE_URL', 'https://cdn.example.com?x=1', 'S3_BASE_URL must look like'),
        ('AWS_ENDPOINT_URL_S3', 'http://minio_server:9000', 'AWS_ENDPOINT_URL_S3 must look like'),
        ('AWS_ENDPOINT_URL_S3', 'minio:9000', 'AWS_ENDPOINT_URL_S3 must look like'),
        ('AWS_REGION', 'eu west', 'AWS_REGION must be a region'),
        ('CLIENT_TIMEOUT', '0', 'CLIENT_TIMEOUT must be a whole number'),
        ('DRAIN_SECONDS', '-1', 'DRAIN_SECONDS must be a whole number from 0 to 600'),
        ('MAX_REQUESTS', 'none', 'MAX_REQUESTS must be a whole number'),
        ('PROXY_HOPS', '0', 'PROXY_HOPS must be a whole number from 1 to 10'),
        ('TRUSTED_HOSTS', 'https://api.example.com', "TRUSTED_HOSTS holds 'https://api.example.com'"),
        ('TRUSTED_HOSTS', 'api.example.com:443', 'which is not a host name'),
        ('TRUSTED_HOSTS', '.example.com', 'which is not a host name'),
        ('TRUSTED_HOSTS', 'API.example.com', 'in small letters'),
        ('OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'OTEL_EXPORTER_OTLP_ENDPOINT must look like'),
        ('METRICS_ADDRESS', '9100', 'METRICS_ADDRESS must be an IP address and a port'),
        ('METRICS_ADDRESS', ':9100', 'METRICS_ADDRESS must be an IP address and a port'),
        ('METRICS_ADDRESS', '127.0.0.1', 'METRICS_ADDRESS must be an IP address and a port'),
        ('METRICS_ADDRESS', 'localhost:9100', 'METRICS_ADDRESS must be an IP address and a port'),
        ('METRICS_ADDRESS', '127.0.0.1:99100', 'METRICS_ADDRESS must be an IP address and a port'),
        ('METRICS_ADDRESS', '127.0.0.1:9100/metrics', 'METRICS_ADDRESS must be an IP address and a port'),
        ('TRUSTED_PROXIES', 'traefik', "TRUSTED_PROXIES holds 'traefik'"),
        ('TRUSTED_PROXIES', '172.18.0.5/16', 'which is not an address or a network'),
        ('TRUSTED_PROXIES', '*', 'which is not an address or a network'),
        ('IMAGE_MAX_BYTES', '10MB', 'IMAGE_MAX_BYTES must be a whole number'),
        ('IMAGE_MAX_FILES', '0', 'IMAGE_MAX_FILES must be a whole number from 1 to 100'),
    ],
)
def test_a_malformed_or_weak_value_is_refused_by_name(name: str, value: str, complaint: str) -> None:
    assert complaint in problems({**PRODUCTION, 'S3_BUCKET': 'bucket', name: value})


def test_no_complaint_repeats_a_secret() -> None:
    planted = 'planted-secret'

    message = problems({
        'ENV': 'production',
        'SECRET_KEY': planted,
        'DATABASE_URL': f'mysql://user:{planted}@host/db',
        'SMTP_URL': f'smtp://user:{planted}@[host',
    })

    assert planted not in message


def test_the_settings_do_not_show_their_secrets() -> None:
    shown = repr(Settings.from_env(PRODUCTION))

    assert SECRET_KEY not in shown
    assert 'secret@' not in shown
    assert 'p@ss' not in shown


def test_development_needs_nothing() -> None:
    settings = Settings.from_env({'SECRET_KEY': SECRET_KEY})

    assert settings.env is Env.DEVELOPMENT
    assert settings.database_url is None
    assert settings.smtp_server is None
    assert settings.api_base_url == 'http://127.0.0.1:5000'
    assert settings.whitelisted_emails == {'maker@example.com'}
    assert settings.cors_origins == ('http://localhost:3000', )


@pytest.mark.parametrize('scheme', ['postgres', 'postgresql', 'postgresql+psycopg2'])
def test_the_usual_forms_of_a_database_url_are_understood(scheme: str) -> None:
    settings = Settings.from_env({**PRODUCTION, 'DATABASE_URL': f'{scheme}://u:p@host/db'})

    assert settings.database_url == 'postgresql+psycopg2://u:p@host/db'


def test_whitelisted_addresses_are_kept_in_canonical_form() -> None:
    settings = Settings.from_env({
        **PRODUCTION, 'WHITELISTED_EMAILS': ' Maker@Example.com ,,x@bücher.example '
    })

    assert settings.whitelisted_emails == {'maker@example.com', 'x@xn--bcher-kva.example'}


def test_images_go_into_a_folder_unless_there_is_a_bucket() -> None:
    settings = Settings.from_env({'SECRET_KEY': SECRET_KEY, 'IMAGE_FOLDER': '/srv/images'})

    assert settings.images.bucket is None
    assert settings.images.folder == Path('/srv/images')
    assert (settings.images.limits.bytes, settings.images.limits.pixels) == (10 * 1024 * 1024, 25_000_000)


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
def test_a_bucket_is_read_where_the_settings_say(environ: dict[str, str], url: str) -> None:
    settings = Settings.from_env({**PRODUCTION, 'S3_BUCKET': 'bucket', **environ})

    assert settings.images.bucket is not None
    assert settings.images.bucket.url('key') == url


@pytest.mark.parametrize(
    ('folder', 'absolute'),
    [('pictures', PROJECT_FOLDER / 'pictures'), ('/srv/pictures', Path('/srv/pictures')),
     ('~/pictures', Path.home() / 'pictures')],
)  # yapf: disable
def test_the_folder_of_images_does_not_depend_on_where_a_command_is_run(
    folder: str, absolute: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert Settings.from_env({'SECRET_KEY': SECRET_KEY, 'IMAGE_FOLDER': folder}).images.folder == absolute


def test_a_request_may_come_under_the_name_in_the_links_and_by_loopback() -> None:
    settings = Settings.from_env({**PRODUCTION, 'TRUSTED_HOSTS': 'api, old.example.com'})

    assert settings.served_hosts == ['api.example.com', 'localhost', '127.0.0.1', 'api', 'old.example.com']


def test_no_proxy_is_trusted_unless_it_is_named() -> None:
    assert not Settings.from_env(PRODUCTION).server.trusted_proxies

    settings = Settings.from_env({**PRODUCTION, 'TRUSTED_PROXIES': '172.18.0.0/16, 10.0.0.7, fd00::/8'})

    assert settings.server.trusted_proxies == (
        ip_network('172.18.0.0/16'), ip_network('10.0.0.7/32'), ip_network('fd00::/8')
    )


@pytest.mark.parametrize(
    ('address', 'read'),
    [('', None), ('127.0.0.1:9100', ('127.0.0.1', 9100)), ('[::1]:0', ('::1', 0))],
)
def test_prometheus_is_told_nothing_unless_it_is_said_where(address: str, read: object) -> None:
    assert Settings.from_env({**PRODUCTION, 'METRICS_ADDRESS': address}).server.metrics_address == read


def test_only_production_waits_before_it_stops() -> None:
    assert Settings.from_env(PRODUCTION).server.drain_seconds == 10
    assert Settings.from_env({'SECRET_KEY': SECRET_KEY}).server.drain_seconds == 0
    assert Settings.from_env({**PRODUCTION, 'DRAIN_SECONDS': '0'}).server.drain_seconds == 0
