def locks_for_user(table: str, subject: int) -> str:
    """Return statements that lock the `subject` of a `user_id` until the transaction ends.

    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS. The table that the
    transaction will write to is locked first, in the same round trip. A transaction that must wait for the
    table then does not hold the advisory lock in the meantime.
    """
    return f'LOCK TABLE {table} IN ROW EXCLUSIVE MODE; SELECT pg_advisory_xact_lock({subject}, %(user_id)s); '
