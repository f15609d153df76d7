from urllib.parse import quote

import pytest

from talelio_backend.shared.diagnostics.business.redaction import redactor

PLANTED = 'planted-Word'


@pytest.mark.parametrize('name', [
    'SECRET_KEY', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'POSTGRES_PASSWORD', 'PGPASSWORD'
])  # yapf: disable
def test_secrets_are_recognised_by_name(name: str) -> None:
    assert redactor({name: f' {PLANTED} '})(f'a {PLANTED}, {PLANTED}') == 'a ***, ***'


@pytest.mark.parametrize('password', [PLANTED, 'p@planted', 'planted/wo@rd', 'a planted:one%', 'plänted'])
def test_passwords_in_urls_are_redacted_in_every_encoding(password: str) -> None:
    redact = redactor({'ANY_URL': f'postgresql://maker:{quote(password, safe="")}@db.example.com/talelio'})

    told = redact(f'{password} {quote(password, safe="")} maker db.example.com')

    assert told == '*** *** maker db.example.com'


@pytest.mark.parametrize(
    'url', [
        'postgresql://maker:planted@1@db.example.com/x',
        'postgresql://maker:1/planted@db.example.com/x',
        'smtp://maker:1#planted@mail.example.com?starttls=1',
    ]
)
def test_parts_of_an_unescaped_password_are_redacted(url: str) -> None:
    assert 'planted' not in redactor({'ANY_URL': url})('no such host: planted')


def test_a_password_in_the_query_is_redacted() -> None:
    redact = redactor({
        'DATABASE_URL': 'postgresql://db.example.com/x?sslmode=require&password=planted%20one'
    })

    assert redact('planted one, require') == '***, require'


@pytest.mark.parametrize(('name', 'value'), [
    ('SECRET_KEY', 'abc'),
    ('SECRET_KEY', ''),
    ('AWS_ACCESS_KEY_ID', 'planted'),
    ('API_BASE_URL', 'https://planted.example.com'),
    ('SMTP_URL', 'smtp://planted@mail.example.com'),
])
def test_other_values_are_not_redacted(name: str, value: str) -> None:
    text = f'abc {value}'

    assert redactor({name: value})(text) == text


def test_the_longest_secret_is_redacted_first() -> None:
    redact = redactor({'SECRET_KEY': 'planted', 'POSTGRES_PASSWORD': 'planted and more'})

    assert redact('planted and more') == '***'


def test_a_secret_within_another_does_not_reveal_the_rest() -> None:
    redact = redactor({'SHORT_TOKEN': 'zzzz', 'LONG_TOKEN': 'aa-zzzz-aa'})

    assert redact('aa-zzzz-aa and zzzz') == '*** and ***'
