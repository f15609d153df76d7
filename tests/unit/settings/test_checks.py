import pytest

from talelio_backend.settings import Settings
from talelio_backend.settings.checks import check_settings
from talelio_backend.shared.diagnostics.business.checks import CheckFailed, Status
from tests.support.served_api import SECRET_KEY

PRODUCTION = {
    'ENV': 'production',
    'SECRET_KEY': SECRET_KEY,
    'DATABASE_URL': 'postgresql://talelio:secret@db.example.com/talelio',
    'API_BASE_URL': 'https://api.example.com',
    'SMTP_URL': 'smtp://user:secret@mail.example.com?starttls=1',
    'EMAIL_SENDER': 'Talelio <noreply@example.com>',
    'CORS_ORIGINS': 'https://www.example.com',
    'TRUSTED_PROXIES': '172.18.0.0/16',
    'METRICS_ADDRESS': '127.0.0.1:9100',
}


@pytest.mark.parametrize('environ', [PRODUCTION, {'SECRET_KEY': SECRET_KEY}])
def test_typical_settings_pass(environ: dict[str, str]) -> None:
    check, = check_settings(Settings.from_env(environ))

    assert check.run().startswith('valid')


@pytest.mark.parametrize(('name', 'value'), [
    ('API_BASE_URL', 'https://localhost'),
    ('CORS_ORIGINS', 'http://www.example.com'),
    ('TRUSTED_PROXIES', ''),
    ('TRUSTED_PROXIES', '172.18.0.0/16,0.0.0.0/0'),
    ('TRUSTED_PROXIES', '::/0'),
    ('METRICS_ADDRESS', '8.8.8.8:9100'),
])  # yapf: disable
def test_a_suspicious_setting_gives_a_warning_with_its_variable(name: str, value: str) -> None:
    check, = check_settings(Settings.from_env({**PRODUCTION, name: value}))

    with pytest.raises(CheckFailed) as caught:
        check.run()
    assert caught.value.status is Status.WARN
    assert name in caught.value.remedy
