"""A real browser, without a screen."""
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver as Chrome

from tests.support.missing import skip_outside_ci

__all__ = ['DESKTOP', 'PHONE', 'Chrome', 'browser', 'complaints', 'resize']

# Chrome first: where both are, the driver is its own.
_BROWSERS = ('google-chrome', 'chromium', 'chromium-browser')
_FLAGS = (
    '--headless',
    # A container's root has no sandbox, and what is shown is ours.
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--disable-dev-shm-usage',
    '--no-first-run',
    # Nothing is asked of anybody on the network.
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
)
PHONE = (390, 844)
DESKTOP = (1280, 900)


@contextmanager
def browser(profile: Path) -> Iterator[Chrome]:
    """`profile` is a new folder."""
    program = next((path for path in (shutil.which(name) for name in _BROWSERS) if path), None)
    driver = shutil.which('chromedriver')
    if program is None or driver is None:
        skip_outside_ci('no browser', 'install chromium and chromium-driver')
    options = Options()
    options.binary_location = program
    for flag in (*_FLAGS, f'--user-data-dir={profile}'):
        options.add_argument(flag)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
    opened = Chrome(options, Service(driver))
    try:
        yield opened
    finally:
        opened.quit()


def resize(opened: Chrome, size: tuple[int, int], *, scheme: str = 'light') -> None:
    """Pixels, and what `prefers-color-scheme` says."""
    width, height = size
    metrics = {'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': size == PHONE}
    opened.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', metrics)
    feature = {'name': 'prefers-color-scheme', 'value': scheme}
    opened.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [feature]})


def complaints(opened: Chrome) -> list[str]:
    """What the page wrote to the console: errors of scripts, refusals of its policy, failed requests."""
    log: list[dict[str, Any]] = opened.get_log('browser')  # type: ignore[no-untyped-call]
    return [entry['message'] for entry in log]
