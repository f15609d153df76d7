"""What a server forgets by itself."""
from contextlib import closing
from typing import Any

from tests.e2e.conftest import Serve
from tests.support.database import connect, execute
from tests.support.waiting import wait_until


def test_mail_that_left_long_ago_is_forgotten_and_what_failed_is_not(serve: Serve, database_url: str) -> None:
    statement = """
        INSERT INTO outbox (message_id, kind, payload, status, created_at, due_at, tries, trying_since, finished_at)
        SELECT gen_random_uuid(), 'note', '{}', status, age, age, 1, age, age
        FROM (VALUES ('sent', now() - interval '31 days'), ('obsolete', now() - interval '31 days'),
            ('failed', now() - interval '31 days'), ('sent', now() - interval '29 days')) AS mails (status, age)
    """
    with closing(connect(database_url)) as database, database.cursor() as cursor:
        execute(database, statement)

        serve(database_url)

        def left() -> list[Any]:
            cursor.execute("SELECT status, finished_at < now() - interval '30 days' FROM outbox ORDER BY id")
            return cursor.fetchall()

        wait_until(lambda: left() == [('failed', True), ('sent', False)], 'pruned')
