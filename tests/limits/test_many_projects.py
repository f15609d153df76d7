"""How much memory it takes to read ten thousand projects, compared with a page of them."""
from contextlib import closing
from pathlib import Path

import requests

from tests.e2e.conftest import Serve, end
from tests.limits.ratios import median_ratio
from tests.support.answers import ok
from tests.support.database import connect, execute
from tests.support.members import join
from tests.support.processes import family_of
from tests.support.served_api import TIMEOUT

PROJECTS = 10_000
PAGE = 1_000
# Of each of the two texts that a project has, in bytes: all of them together are 40 MB.
SIZE = 2_000
# A page has several forms on its way, in each of which it is about as large.
MOST_PAGES = 8


def peak_memory(pid: int) -> int:
    """Of whichever process of the family had the most at a time, in KiB (proc_pid_status(5))."""
    statuses = [Path(f'/proc/{each}/status').read_text(encoding='utf-8') for each in family_of(pid)]
    return max(
        int(line.split()[1]) for text in statuses for line in text.splitlines() if line.startswith('VmHWM:')
    )


def test_to_read_ten_thousand_projects_in_pages_takes_the_memory_of_a_few_pages(
    serve: Serve, database_url: str
) -> None:
    environ = {'WEB_CONCURRENCY': '1', 'CACHE_MEMORY': '0'}
    member = join(serve(database_url, environ))
    statement = """
        INSERT INTO projects (user_id, created_at, title, body, html)
        SELECT %s, now(), 'Title ' || n, repeat('b', %s), repeat('h', %s) FROM generate_series(1, %s) n
    """
    with closing(connect(database_url)) as database:
        assert execute(database, statement, member.account['user']['id'], SIZE, SIZE, PROJECTS) == PROJECTS

    def growth_and_page() -> tuple[float, float]:
        # What was once taken is kept, so each round needs another server.
        api = serve(database_url, environ)
        page = requests.get(api.url + member.projects_path, timeout=TIMEOUT)
        before = peak_memory(api.pid)
        pages = 0
        path: str | None = member.projects_path
        while path is not None:
            response = requests.get(api.url + path, timeout=TIMEOUT)
            ok(response)
            path = response.links.get('next', {}).get('url')
            pages += 1
        assert pages >= PROJECTS / PAGE
        growth = peak_memory(api.pid) - before
        end(api)
        return growth * 1024, len(page.content)

    assert median_ratio(growth_and_page) < MOST_PAGES
