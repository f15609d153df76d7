"""Somebody with ten thousand projects: what is answered, and what it takes, is bounded by the page."""
from contextlib import closing
from pathlib import Path

import requests

from tests.e2e.conftest import Serve
from tests.support.answers import ok
from tests.support.database import connect, execute
from tests.support.members import join
from tests.support.processes import family_of

PROJECTS = 10_000
PAGE = 1_000
# Of each of the two texts that a project has, in bytes: all of them together are 40 MB.
SIZE = 2_000
# In KiB. A page is 4 MB, in each of the forms that it takes on its way.
MOST_GROWTH = 32 * 1024


def peak_memory(pid: int) -> int:
    """Of whichever process of the family had the most at a time, in KiB (proc_pid_status(5))."""
    statuses = [Path(f'/proc/{each}/status').read_text(encoding='utf-8') for each in family_of(pid)]
    return max(
        int(line.split()[1]) for text in statuses for line in text.splitlines() if line.startswith('VmHWM:')
    )


def test_ten_thousand_projects_are_read_in_pages_and_in_bounded_memory(
    serve: Serve, database_url: str
) -> None:
    api = serve(database_url, {'WEB_CONCURRENCY': '1', 'CACHE_MEMORY': '0'})
    member = join(api)
    statement = """
        INSERT INTO projects (user_id, created_at, title, body, html)
        SELECT %s, now(), 'Title ' || n, repeat('b', %s), repeat('h', %s) FROM generate_series(1, %s) n
    """
    with closing(connect(database_url)) as database:
        assert execute(database, statement, member.account['user']['id'], SIZE, SIZE, PROJECTS) == PROJECTS
    # What a worker makes at its first request shall not count.
    first = api.get(f'{member.projects_path}?limit=1')
    requests.get(api.url + member.projects_path, timeout=20)
    before = peak_memory(api.pid)

    ids: list[int] = []
    path: str | None = member.projects_path
    while path is not None:
        # Without a look at the document for each project, which would be most of the time.
        answer = requests.get(api.url + path, timeout=20)
        page = ok(answer)
        assert 1 <= len(page) <= PAGE
        ids += [project['id'] for project in page]
        path = answer.links.get('next', {}).get('url')

    assert len(set(ids)) == len(ids) == PROJECTS
    assert first.headers['X-Total-Count'] == str(PROJECTS)
    assert peak_memory(api.pid) - before < MOST_GROWTH
