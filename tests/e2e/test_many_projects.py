"""Somebody with more projects than go into a page."""
import requests
from psycopg2.extensions import connection

from tests.support.answers import ok
from tests.support.database import execute
from tests.support.members import Member
from tests.support.served_api import TIMEOUT, ServedApi

PROJECTS = 2_500
PAGE = 1_000


def test_thousands_of_projects_are_read_in_pages_of_a_thousand(
    api: ServedApi, database: connection, member: Member
) -> None:
    statement = """
        INSERT INTO projects (user_id, created_at, title, body, html)
        SELECT %s, now(), 'Title ' || n, 'b', 'h' FROM generate_series(1, %s) n
    """
    assert execute(database, statement, member.account['user']['id'], PROJECTS) == PROJECTS

    pages: list[list[int]] = []
    path: str | None = member.projects_path
    while path is not None:
        # Without a look at the document for each project, which would be most of the time.
        response = requests.get(api.url + path, timeout=TIMEOUT)
        pages.append([project['id'] for project in ok(response)])
        path = response.links.get('next', {}).get('url')

    assert [len(page) for page in pages] == [PAGE, PAGE, PROJECTS - 2 * PAGE]
    assert len({id_ for page in pages for id_ in page}) == PROJECTS
    assert response.headers['X-Total-Count'] == str(PROJECTS)
