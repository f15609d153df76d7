from urllib.parse import quote

import pytest

from talelio_backend.shared.diagnostics.business.redaction import redactor

PLANTED = 'planted-Word'


@pytest.mark.parametrize('name', [
    'SECRET_KEY', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'POSTGRES_PASSWORD', 'PGPASSWORD'
])  # yapf: disable
def test_secrets_are_known_by_their_names(name: str) -> None:
    assert redactor({name: f' {PLANTED} '})(f'a {PLANTED}, {PLANTED}') == 'a ***, ***'


@pytest.mark.parametrize('password', [PLANTED, 'p@planted', 'planted/wo@rd', 'a planted:one%', 'plänted'])
def test_passwords_in_urls_are_hidden_in_each_form(password: str) -> None:
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
def test_of_a_password_that_was_not_quoted_no_piece_is_shown(url: str) -> None:
    assert 'planted' not in redactor({'ANY_URL': url})('no such host: planted')


def test_a_password_among_the_options_is_hidden() -> None:
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
def test_what_is_no_secret_stays(name: str, value: str) -> None:
    text = f'abc {value}'

    assert redactor({name: value})(text) == text


def test_of_two_secrets_the_longer_is_hidden_whole() -> None:
    redact = redactor({'SECRET_KEY': 'planted', 'POSTGRES_PASSWORD': 'planted and more'})

    assert redact('planted and more') == '***'


def test_a_secret_that_is_a_part_of_another_uncovers_nothing_of_it() -> None:
    redact = redactor({'SHORT_TOKEN': 'zzzz', 'LONG_TOKEN': 'aa-zzzz-aa'})

    assert redact('aa-zzzz-aa and zzzz') == '*** and ***'
