"""The API's own page, in a real browser."""
import json
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.browser import DESKTOP, PHONE, Chrome, browser, complaints, resize
from tests.support.members import Member
from tests.support.served_api import ServedApi
from tests.support.waiting import PATIENCE


@pytest.fixture(name='chrome', scope='module')
def _chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp('chrome')) as opened:
        yield opened


@pytest.fixture(name='page')
def _page(chrome: Chrome, api: ServedApi) -> Chrome:
    resize(chrome, DESKTOP)
    chrome.get(f'{api.url}/v1/docs')
    wait_for(chrome, 'main[aria-busy=false]')
    return chrome


def wait_for(page: Chrome, selector: str) -> WebElement:
    return WebDriverWait(page, PATIENCE).until(lambda page: page.find_element(By.CSS_SELECTOR, selector))


def wait_for_text(page: Chrome, selector: str) -> str:
    element = page.find_element(By.CSS_SELECTOR, selector)
    return WebDriverWait(page, PATIENCE).until(lambda _: element.text)


def log_in(page: Chrome, email: str, password: str) -> None:
    form = page.find_element(By.ID, 'login')
    for name, value in (('email', email), ('password', password)):
        field = form.find_element(By.NAME, name)
        field.clear()
        field.send_keys(value)
    form.find_element(By.TAG_NAME, 'button').click()


def open_call(page: Chrome, operation: str) -> WebElement:
    call = page.find_element(By.ID, operation)
    call.find_element(By.TAG_NAME, 'summary').click()
    WebDriverWait(page, PATIENCE).until(lambda _: call.find_elements(By.CSS_SELECTOR, '.answers'))
    return call


def try_call(page: Chrome, call: WebElement) -> str:
    """Send what the form holds; return what is shown of the answer."""
    call.find_element(By.CSS_SELECTOR, 'form.try button').click()
    WebDriverWait(page, PATIENCE).until(lambda _: call.find_elements(By.CSS_SELECTOR, '.result .status'))
    return call.find_element(By.CSS_SELECTOR, '.result').text


def test_every_call_of_the_document_is_there(page: Chrome, api: ServedApi) -> None:
    operations = [
        operation['operationId'] for operations in api.get('/v1/openapi.json').json()['paths'].values()
        for operation in operations.values()
    ]

    shown = page.find_elements(By.CSS_SELECTOR, 'details.call')

    assert sorted(call.get_attribute('id') or '' for call in shown) == sorted(operations)


def test_all_calls_open_and_say_what_they_take_and_answer(page: Chrome) -> None:
    page.execute_script("for (const call of document.querySelectorAll('details.call')) call.open = true")

    calls = page.find_elements(By.CSS_SELECTOR, 'details.call')

    def all_filled(page: Chrome) -> bool:
        return len(page.find_elements(By.CSS_SELECTOR, 'details.call .answers')) == len(calls)

    WebDriverWait(page, PATIENCE).until(all_filled)
    assert complaints(page) == []


def test_log_in_and_publish(page: Chrome, member: Member, api: ServedApi) -> None:
    log_in(page, member.person.email, member.person.password)
    assert wait_for_text(page, '#who') == member.person.email
    call = open_call(page, 'projects_publish')
    body = call.find_element(By.TAG_NAME, 'textarea')
    body.clear()
    body.send_keys(json.dumps({'title': 'From the page', 'body': '<b>not bold</b>'}))

    shown = try_call(page, call)

    assert shown.startswith('201')
    assert '"title": "From the page"' in shown
    assert [project['title'] for project in api.get(member.projects_path).json()] == ['From the page']
    assert complaints(page) == []


def test_without_a_token_a_protected_call_is_refused_in_words(page: Chrome) -> None:
    shown = try_call(page, open_call(page, 'users_show_own'))

    assert shown.startswith('403')
    assert 'No authorization header provided' in shown


def test_a_wrong_password_is_told(page: Chrome, member: Member) -> None:
    log_in(page, member.person.email, 'not the password')

    assert wait_for_text(page, '#login output') == 'Invalid username or password'
    assert page.find_element(By.ID, 'login').is_displayed()


def test_the_token_can_be_forgotten(page: Chrome, member: Member) -> None:
    log_in(page, member.person.email, member.person.password)
    wait_for_text(page, '#who')

    page.find_element(By.ID, 'log-out').click()

    assert try_call(page, open_call(page, 'users_show_own')).startswith('403')


def test_a_parameter_goes_into_the_path_and_the_query(page: Chrome, author: Member) -> None:
    call = open_call(page, 'projects_list_of_user')
    name, limit = (
        call.find_element(By.XPATH, f'.//label[starts-with(normalize-space(), "{parameter}")]/input')
        for parameter in ('username', 'limit')
    )
    name.clear()
    name.send_keys(author.person.username)
    limit.send_keys('0')

    shown = try_call(page, call)

    assert shown.startswith('400') and "'limit'" in shown


def test_the_calls_can_be_searched(page: Chrome) -> None:
    page.find_element(By.ID, 'search').send_keys('publish')

    shown = page.find_elements(By.CSS_SELECTOR, 'details.call:not([hidden])')

    assert 'projects_publish' in [call.get_attribute('id') for call in shown]
    assert 'users_show' not in [call.get_attribute('id') for call in shown]


@pytest.mark.parametrize('size', [DESKTOP, PHONE])
@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_it_fits_the_screen_and_follows_the_colour_scheme(
    page: Chrome, size: tuple[int, int], scheme: str
) -> None:
    resize(page, size, scheme=scheme)
    open_call(page, 'projects_publish')

    assert page.execute_script('return document.documentElement.scrollWidth <= innerWidth')
    background = page.execute_script('return getComputedStyle(document.body).backgroundColor')
    red = int(background.removeprefix('rgb(').partition(',')[0])
    assert (red < 128) is (scheme == 'dark')


def test_nothing_is_asked_of_another_host(chrome: Chrome, api: ServedApi) -> None:
    chrome.get_log('performance')  # type: ignore[no-untyped-call]
    chrome.get(f'{api.url}/v1/docs')
    wait_for(chrome, 'main[aria-busy=false]')

    events = [
        json.loads(entry['message'])['message']
        for entry in chrome.get_log('performance')  # type: ignore[no-untyped-call]
    ]
    urls = [
        event['params']['request']['url'] for event in events
        if event['method'] == 'Network.requestWillBeSent'
    ]
    hosts = {urlsplit(url).netloc for url in urls if not url.startswith('data:')}
    assert hosts == {urlsplit(api.url).netloc}
    assert len(urls) >= 4


def test_its_policy_lets_nothing_inline_run(api: ServedApi) -> None:
    responses = [api.get('/v1/docs'), api.get('/v1/docs/docs.js'), api.get('/v1/docs/docs.css')]

    for response in responses:
        policy = response.headers['Content-Security-Policy']
        assert "default-src 'none'" in policy and 'unsafe' not in policy and 'http' not in policy


def test_a_part_that_is_held_is_not_sent_again(api: ServedApi) -> None:
    first = api.get('/v1/docs/docs.js')

    again = api.get('/v1/docs/docs.js', headers={'If-None-Match': first.headers['ETag']})

    assert 'no-cache' in first.headers['Cache-Control']
    assert (again.status_code, again.content) == (HTTPStatus.NOT_MODIFIED, b'')


@pytest.mark.parametrize('name', ['docs.html', 'docs_routes.py', '..%2Fdocs_routes.py', 'x'])
def test_only_the_parts_of_the_page_are_served(api: ServedApi, name: str) -> None:
    assert api.get(f'/v1/docs/{name}').status_code == HTTPStatus.NOT_FOUND
