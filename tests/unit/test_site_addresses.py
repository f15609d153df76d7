"""Where the pages of a site are, as the settings say it."""
import pytest

from talelio_backend.config import ConfigurationError, Settings
from tests.support.served_api import SECRET_KEY


@pytest.mark.parametrize(
    'url', [
        'https://www.example.com/{username}/{slug}', 'http://localhost:3000/p/{id}',
        'https://{username}.example.com/{slug}'
    ]
)
def test_the_pages_of_a_site_may_be_anywhere(url: str) -> None:
    assert Settings.from_env({'SECRET_KEY': SECRET_KEY, 'SITE_PROJECT_URL': url}).site_project_url == url


@pytest.mark.parametrize(('url', 'problem'), [
    ('https://www.example.com/{title}', 'must look like https://www.example.com/{slug}'),
    ('https://www.example.com/{slug.x}', 'must look like https://www.example.com/{slug}'),
    ('https://www.example.com/a b/{slug}', 'must look like https://www.example.com/{slug}'),
    ('www.example.com/{slug}', 'must look like https://www.example.com/{slug}'),
    ('https://a@www.example.com/{slug}', 'must look like https://www.example.com/{slug}'),
    ('https://www.example.com/{username}', 'must hold {slug} or {id}'),
])  # yapf: disable
def test_an_address_that_names_no_page_of_a_project_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_env({'SECRET_KEY': SECRET_KEY, 'SITE_PROJECT_URL': url})

    assert f'SITE_PROJECT_URL {problem}' in str(raised.value)
