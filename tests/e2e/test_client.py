"""The typed client: generated from the document, type-checked, and used by a page in a real browser."""
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from talelio_backend import __version__
from talelio_backend.settings import PROJECT_FOLDER, VAR_FOLDER
from tests.e2e.conftest import Serve
from tests.support.browser import Chrome, browser, complaints
from tests.support.members import join, publish
from tests.support.missing import require_npm
from tests.support.waiting import PATIENCE

FOLDER = VAR_FOLDER / 'client'
# Seconds; the first time, packages are fetched.
BUILD_PATIENCE = 300


@pytest.fixture(name='client', scope='module')
def _client() -> Path:
    """What `make client` makes."""
    require_npm()
    run = subprocess.run(
        [str(PROJECT_FOLDER / '.ci' / 'build-client'),
         str(FOLDER)],
        env=os.environ | {'PYTHON': sys.executable},
        capture_output=True,
        encoding='utf-8',
        timeout=BUILD_PATIENCE,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return FOLDER


class _Quiet(SimpleHTTPRequestHandler):

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        pass


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """Serves the folder, as a frontend of another origin than the API's; its origin."""
    with ThreadingHTTPServer(('127.0.0.1', 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f'http://127.0.0.1:{server.server_port}'
        finally:
            server.shutdown()
            thread.join()


def text_of(opened: Chrome, url: str) -> str:
    """What the page shows when it is done."""
    opened.get(url)

    def main_is_done(opened: Chrome) -> bool:
        return bool(opened.find_elements(By.CSS_SELECTOR, 'main[aria-busy=false]'))

    WebDriverWait(opened, PATIENCE).until(main_is_done)
    return opened.find_element(By.TAG_NAME, 'main').text


def test_it_is_packed_with_its_types(client: Path) -> None:
    package = client / f'talelio-client-{__version__}.tgz'

    listed = subprocess.run(['tar', '-tzf', str(package)], capture_output=True, encoding='utf-8', check=True)

    assert {'package/dist/client.js', 'package/dist/client.d.ts', 'package/dist/schema.d.ts'} <= \
        set(listed.stdout.split())


def test_a_page_lists_projects_with_it(client: Path, serve: Serve, database_url: str, tmp_path: Path) -> None:
    with site(client) as origin:
        api = serve(database_url, {'CORS_ORIGINS': origin})
        member = join(api)

        def page(user: str) -> str:
            return f'{origin}/example.html?{urlencode({"api": api.url, "user": user})}'

        with browser(tmp_path / 'chrome') as opened:
            assert text_of(opened, page(member.person.username)) == 'Nothing is published yet.'
            publish(api, member, 'A chair', '## Wood\n\nAsh.')
            publish(api, member, 'A table', 'Oak.')
            assert text_of(opened, page(member.person.username)) == 'A table\nOak.\nA chair\nWood\nAsh.'
            assert complaints(opened) == []
            assert text_of(opened, page('nobody')) == "User 'nobody' does not exist"
