import pytest

from talelio_backend.settings import ConfigurationError, Settings
from talelio_backend.settings.checks import examine_problems, examine_settings
from talelio_backend.shared.business.checkup import Finding, Status
from tests.support.served_api import SECRET_KEY

PRODUCTION = {
    'ENV': 'production',
    'SECRET_KEY': SECRET_KEY,
    'DATABASE_URL': 'postgresql://talelio:secret@db.example.com/talelio',
    'API_BASE_URL': 'https://api.example.com',
    'SMTP_URL': 'smtp://user:secret@mail.example.com?starttls=1',
    'EMAIL_SENDER': 'Talelio <noreply@example.com>',
    'WHITELISTED_EMAILS': 'maker@example.com',
    'CORS_ORIGINS': 'https://www.example.com',
    'TRUSTED_PROXIES': '172.18.0.0/16',
}


def findings(**changes: str) -> dict[str, Finding]:
    settings = Settings.from_env({**PRODUCTION, **changes})
    return {finding.name: finding for finding in examine_settings(settings)}


def test_a_whole_production_is_ok() -> None:
    found = findings()

    assert list(found) == [
        'settings', 'secret key', 'whitelist', 'address', 'frontends', 'proxies', 'metrics'
    ]
    assert {finding.status for finding in found.values()} == {Status.OK}


@pytest.mark.parametrize(('name', 'changes', 'mend'), [
    ('whitelist', {'WHITELISTED_EMAILS': ''}, 'WHITELISTED_EMAILS'),
    ('address', {'API_BASE_URL': 'https://localhost'}, 'API_BASE_URL'),
    ('frontends', {'CORS_ORIGINS': ''}, 'CORS_ORIGINS'),
    ('frontends', {'CORS_ORIGINS': 'http://www.example.com'}, 'CORS_ORIGINS'),
    ('proxies', {'TRUSTED_PROXIES': ''}, 'TRUSTED_PROXIES'),
    ('proxies', {'TRUSTED_PROXIES': '172.18.0.0/16,0.0.0.0/0'}, 'TRUSTED_PROXIES'),
    ('proxies', {'TRUSTED_PROXIES': '::/0'}, 'TRUSTED_PROXIES'),
    ('metrics', {'METRICS_ADDRESS': '8.8.8.8:9100'}, 'METRICS_ADDRESS'),
])  # yapf: disable
def test_what_is_odd_is_a_warning_that_names_its_variable(
    name: str, changes: dict[str, str], mend: str
) -> None:
    found = findings(**changes)

    assert found[name].status is Status.WARN
    assert mend in (found[name].mend or '')
    assert {finding.status for finding in found.values() if finding.name != name} == {Status.OK}


def test_where_the_metrics_are_is_told() -> None:
    assert findings()['metrics'].found == 'nobody is told any'
    assert '127.0.0.1, port 9100' in findings(METRICS_ADDRESS='127.0.0.1:9100')['metrics'].found


def test_development_needs_no_proxy_and_no_tls() -> None:
    settings = Settings.from_env({'SECRET_KEY': SECRET_KEY})

    assert {finding.status for finding in examine_settings(settings)} == {Status.OK}


def test_the_hosts_and_the_proxies_are_told() -> None:
    found = findings(TRUSTED_HOSTS='api.internal', PROXY_HOPS='2')

    assert found['address'].found == \
        'https://api.example.com; requests are taken for api.example.com, localhost, 127.0.0.1, api.internal'
    assert found['proxies'].found == '172.18.0.0/16 are trusted, with 2 proxies in a row'


def test_each_problem_of_the_settings_is_a_failure_of_its_own() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env({'ENV': 'production', 'SECRET_KEY': 'short', 'WHITELISTED_EMAILS': 'no\naddress'})

    found = list(examine_problems(caught.value))

    assert {finding.name for finding in found} == {'settings'}
    assert {finding.status for finding in found} == {Status.FAIL}
    told = [finding.found for finding in found]
    assert 'DATABASE_URL is missing' in told and 'SMTP_URL is missing' in told
    assert r"WHITELISTED_EMAILS contains 'no\naddress', which must be an e-mail address" in told
    assert any(text.startswith('SECRET_KEY is weak') for text in told)
