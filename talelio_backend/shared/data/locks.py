from sqlalchemy import func, select
from sqlalchemy.orm import Session


def lock_for_user(session: Session, subject: int, user_id: int) -> None:
    """Keep everybody else from what is locked under the same two numbers, until the transaction ends.

    PostgreSQL's advisory locks: https://www.postgresql.org/docs/current/explicit-locking.html.
    """
    session.execute(select(func.pg_advisory_xact_lock(subject, user_id)))
