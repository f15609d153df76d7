from sqlalchemy import text
from sqlalchemy.orm import Session


def lock_for_user(session: Session, table: str, subject: int, user_id: int) -> None:
    """Keep everybody else from what is locked under the same two numbers, until the transaction ends.

    PostgreSQL's advisory locks: https://www.postgresql.org/docs/current/explicit-locking.html. The table
    that is about to be written to comes first, in the same round trip: who has to wait for it does so before
    others have to wait for them, one wait and not two.
    """
    lock = f'LOCK TABLE {table} IN ROW EXCLUSIVE MODE; SELECT pg_advisory_xact_lock(:subject, :user_id)'
    session.execute(text(lock), {'subject': subject, 'user_id': user_id})
