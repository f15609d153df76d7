import pytest

from talelio_backend.settings import ConfigurationError, Settings
from tests.support.served_api import SECRET_KEY


@pytest.mark.parametrize(
    'url', [
        'https://www.example.com/{username}/{slug}', 'http://localhost:3000/p/{id}',
        'https://{username}.example.com/{slug}', 'http://[::1]:3000/{slug}?by={username}#top'
    ]
)
def test_page_urls_may_have_any_structure(url: str) -> None:
    assert Settings.from_env({'SECRET_KEY': SECRET_KEY, 'SITE_PROJECT_URL': url}).site_project_url == url


@pytest.mark.parametrize(
    'url', [
        'https://www.example.com/{title}',
        'https://www.example.com/{slug.x}',
        'https://www.example.com/a b/{slug}',
        'https://www.example.com:port/{slug}',
        'www.example.com/{slug}',
        'https://a@www.example.com/{slug}',
        'https://www.example.com/{username}',
        'ftp://www.example.com/{slug}',
    ]
)
def test_an_invalid_project_page_url_is_rejected(url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_env({'SECRET_KEY': SECRET_KEY, 'SITE_PROJECT_URL': url})

    assert 'SITE_PROJECT_URL must be a URL such as https://www.example.com/{slug}' in str(raised.value)


def test_a_users_page_needs_no_field() -> None:
    for url in ('https://maker.example', 'https://www.example.com/{username}'):
        assert Settings.from_env({'SECRET_KEY': SECRET_KEY, 'SITE_USER_URL': url}).site_user_url == url

    with pytest.raises(ConfigurationError, match='SITE_USER_URL must be a URL'):
        Settings.from_env({'SECRET_KEY': SECRET_KEY, 'SITE_USER_URL': 'https://www.example.com/{slug}'})
