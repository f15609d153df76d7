def locks_for_user(table: str, subject: int) -> str:
    """Statements that keep everybody else from what is locked for a `user_id` under the same `subject`.

    They hold until the transaction ends. PostgreSQL's advisory locks:
    https://www.postgresql.org/docs/current/explicit-locking.html. The table that is about to be written to
    comes first, in the same round trip: who has to wait for it does so before others have to wait for them,
    one wait and not two.
    """
    return f'LOCK TABLE {table} IN ROW EXCLUSIVE MODE; SELECT pg_advisory_xact_lock({subject}, %(user_id)s); '
