"""A frontend on an origin of its own, in a real browser: what it keeps over a reload, and what ends it."""
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.browser import Chrome, browser
from tests.support.members import WHITELIST, Member, join
from tests.support.page_server import page_server
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import PATIENCE

PAGE = Path(__file__).parent / 'frontend'


class Origins(NamedTuple):
    """Where the page is served from. The API is called at localhost."""

    same_site: str
    other_site: str
    # On the API's site, but not in CORS_ORIGINS.
    foreign: str


@pytest.fixture(name='origins', scope='module')
def _origins() -> Iterator[Origins]:
    with ExitStack() as servers:
        ports = [servers.enter_context(page_server(PAGE)) for _ in Origins._fields]
        hosts = ('localhost', '127.0.0.1', 'localhost')
        yield Origins(*(f'http://{host}:{port}' for host, port in zip(hosts, ports)))


@pytest.fixture(name='backend', scope='module')
def _backend(
    tmp_path_factory: pytest.TempPathFactory, api_database_url: str, mail_server: SmtpSink, origins: Origins
) -> Iterator[ServedApi]:
    environ = {
        'SMTP_URL': mail_server.url,
        'WHITELISTED_EMAILS': ','.join(WHITELIST),
        'CORS_ORIGINS': f'{origins.same_site}, {origins.other_site}',
    }
    with ServedApi(tmp_path_factory.mktemp('backend'), api_database_url, environ) as served:
        yield served


@pytest.fixture(name='visitor')
def _visitor(backend: ServedApi) -> Member:
    return join(backend)


@pytest.fixture(name='chrome')
def _chrome(tmp_path: Path) -> Iterator[Chrome]:
    """With no cookies yet."""
    with browser(tmp_path) as opened:
        yield opened


def open_page(chrome: Chrome, origin: str, backend: ServedApi) -> str:
    api = backend.url.replace('127.0.0.1', 'localhost')
    chrome.get(f'{origin}/?api={api}/v1')
    return state(chrome)


def reload(chrome: Chrome) -> str:
    chrome.refresh()
    return state(chrome)


def state(chrome: Chrome) -> str:
    """What the page has come to after loading."""
    wait_for(chrome, 'body:not([data-state=loading])')
    return chrome.find_element(By.TAG_NAME, 'body').get_attribute('data-state') or ''


def shown(chrome: Chrome) -> str:
    return chrome.find_element(By.TAG_NAME, 'output').text


def log_in(chrome: Chrome, visitor: Member) -> None:
    for name, value in visitor.person.login.items():
        chrome.find_element(By.NAME, name).send_keys(value)
    chrome.find_element(By.CSS_SELECTOR, 'form button').click()
    wait_for(chrome, '[data-state=logged-in]')


def wait_for(chrome: Chrome, selector: str) -> None:
    WebDriverWait(chrome, PATIENCE).until(lambda page: page.find_elements(By.CSS_SELECTOR, selector))


@pytest.mark.parametrize('site', ['same_site', 'other_site'])
def test_a_login_outlasts_reloads_until_the_logout(
    chrome: Chrome, backend: ServedApi, visitor: Member, origins: Origins, site: str
) -> None:
    assert open_page(chrome, getattr(origins, site), backend) == 'logged-out'

    log_in(chrome, visitor)
    assert shown(chrome) == visitor.person.email
    for _ in range(2):
        assert (reload(chrome), shown(chrome)) == ('logged-in', visitor.person.email)
    kept = 'return document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })'
    assert chrome.execute_script(kept) == '{}'

    chrome.find_element(By.ID, 'log-out').click()
    wait_for(chrome, '[data-state=logged-out]')
    assert (reload(chrome), shown(chrome)) == ('logged-out', 'invalid_refresh_token')


def test_a_page_that_is_not_ours_gets_nothing_of_the_session(
    chrome: Chrome, backend: ServedApi, visitor: Member, origins: Origins
) -> None:
    open_page(chrome, origins.same_site, backend)
    log_in(chrome, visitor)

    assert open_page(chrome, origins.foreign, backend) == 'blocked'

    assert open_page(chrome, origins.same_site, backend) == 'logged-in'
