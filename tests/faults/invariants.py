"""What is true of all tables and of the store at any time, whatever was broken off where."""
from contextlib import closing

from psycopg2.extensions import connection

from talelio_backend.app_asset.business.image import ImageKind, avatar_key, image_key, variant_key
from tests.support.database import connect, select_one
from tests.support.waiting import wait_until

# Each counts what must not be.
_BROKEN = {
    'accounts without their user': """
        SELECT count(*) FROM accounts WHERE NOT EXISTS (SELECT FROM users WHERE account_id = accounts.id)
    """,
    'accounts of which the audit trail knows no beginning': """
        SELECT count(*) FROM accounts WHERE NOT EXISTS (
            SELECT FROM security_events
            WHERE account_id = accounts.id AND kind IN ('account.registered', 'account.created')
        )
    """,
    'accounts that wait for a link which nobody sends': """
        SELECT count(*) FROM accounts WHERE NOT verified AND NOT EXISTS (
            SELECT FROM outbox WHERE kind = 'verification' AND payload->'account_id' = to_jsonb(accounts.id)
        )
    """,
    'deleted accounts that are there': """
        SELECT count(*) FROM accounts
            JOIN security_events ON account_id = accounts.id AND kind = 'account.deleted'
    """,
    'public projects that the list of changes does not have': """
        SELECT count(*) FROM projects WHERE status = 'published' AND published_at <= now() AND NOT EXISTS (
            SELECT FROM project_changes WHERE project_id = projects.id AND NOT removed
        )
    """,
    'changes that tell of a project which is not there': """
        SELECT count(*) FROM project_changes
        WHERE NOT removed AND NOT EXISTS (SELECT FROM projects WHERE id = project_id)
    """,
    'changes of one number': 'SELECT count(number) - count(DISTINCT number) FROM project_changes',
    'revisions with gaps between them': """
        SELECT count(*) FROM (
            SELECT FROM project_revisions GROUP BY project_id
            HAVING count(*) <> max(number) - min(number) + 1
        ) AS gaps
    """,
    'projects that lost what they were before a change': """
        SELECT count(*) FROM projects WHERE left(title, 5) = 'After' AND NOT EXISTS (
            SELECT FROM project_revisions WHERE project_id = projects.id
        )
    """,
    'wishes for another address without their mails': """
        SELECT count(*) FROM email_changes WHERE 2 > (
            SELECT count(*) FROM outbox
            WHERE kind IN ('email_confirmation', 'email_announcement')
                AND payload->'account_id' = to_jsonb(email_changes.account_id)
        )
    """,
    'mails that were sent without a try, or without an end': """
        SELECT count(*) FROM outbox WHERE status = 'sent' AND (tries = 0 OR finished_at IS NULL)
    """,
    'answers that are kept in part': """
        SELECT count(*) FROM idempotency_claims WHERE (status IS NULL) <> (content IS NULL)
    """,
    'prepared transactions': 'SELECT count(*) FROM pg_prepared_xacts',
}  # yapf: disable

_AT_WORK = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        AND (state <> 'idle' OR EXISTS (SELECT FROM pg_locks WHERE pg_locks.pid = pg_stat_activity.pid))
"""


def broken_rows(database: connection) -> list[str]:
    """Say what is wrong, and how often."""
    counts = {name: select_one(database, query) for name, query in _BROKEN.items()}
    return [f'{count} {name}' for name, count in counts.items() if count]


def claimed_keys(database: connection) -> set[str]:
    """Of all files that pictures and avatars need."""
    keys: set[str] = set()
    with database.cursor() as cursor:
        cursor.execute('SELECT user_id, digest, kind, variant_widths FROM images WHERE deleted_at IS NULL')
        for user_id, digest, kind, widths in cursor:
            keys.add(image_key(user_id, digest, ImageKind(kind)))
            keys |= {variant_key(user_id, digest, width) for width in widths}
        cursor.execute('SELECT id, avatar_digest FROM users WHERE avatar_digest IS NOT NULL')
        keys |= {avatar_key(user_id, digest) for user_id, digest in cursor}
    return keys


def check_rows(url: str) -> None:
    """Wait until nobody is at work any more, and look at all tables."""
    with closing(connect(url)) as database:
        wait_until(lambda: select_one(database, _AT_WORK) == 0, 'all transactions have ended')
        assert broken_rows(database) == []


def check_store(url: str, stored: set[str]) -> set[str]:
    """See that each file that is needed is there. Return those that nobody needs, which the sweep takes."""
    with closing(connect(url)) as database:
        claimed = claimed_keys(database)
    assert claimed - stored == set(), 'pictures without their file'
    return stored - claimed
