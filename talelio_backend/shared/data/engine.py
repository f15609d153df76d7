"""The connection pool, with a timeout on everything that could block."""
from sqlalchemy import Engine, ExceptionContext, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from talelio_backend.shared.data.connections import (
    BoundedConnection,
    check_liveness,
    install_wait_callback,
    try_each_host,
)

APPLICATION_NAME = 'talelio_backend'

# Seconds. Clients should get a 503 within about two seconds when the database is busy or away.
POOL_TIMEOUT = 1.5

SESSION_SETTINGS = {
    'timezone': 'UTC',
    'statement_timeout': '5s',
    'lock_timeout': '2s',
    # A process that stops within a transaction must not hold its locks.
    'idle_in_transaction_session_timeout': '15s',
}

_LOCK_TIMEOUT = '55P03'
# A standby that has not been promoted yet, or a primary that has become one.
_READ_ONLY = '25006'

# SQLSTATE classes of transient errors: a retry of the same request may succeed.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_TRANSIENT = (
    '08',  # connection exception
    _READ_ONLY,
    '40',  # serialization failure, deadlock
    '53',  # out of disk, memory or connections
    _LOCK_TIMEOUT,
    '57',  # shut down, starting up, statement_timeout
    '58',  # system error
)

_DATA_EXCEPTION = '22'


def make_engine(
    url: str, *, pool_size: int, pool_class: type[QueuePool] = QueuePool, by_role: bool = False
) -> Engine:
    """`by_role` means that the role has SESSION_SETTINGS. A connection pooler takes none from clients."""
    settings = ' '.join(f'-c {name}={value}' for name, value in SESSION_SETTINGS.items())
    options = {} if by_role else {'options': settings}
    install_wait_callback()
    engine = create_engine(
        url,
        poolclass=pool_class,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT,
        pool_recycle=1800,
        # Errors are logged, and parameters contain e-mail addresses and hashes.
        hide_parameters=True,
        connect_args={
            'application_name': APPLICATION_NAME,
            'connection_factory': BoundedConnection,
            # The kernel detects a peer that vanished.
            'keepalives_idle': 10,
            'keepalives_interval': 5,
            'keepalives_count': 2,
            'tcp_user_timeout': 10_000,
        } | options,
    )
    if isinstance(engine.url.query.get('host'), tuple):
        try_each_host(engine)
    check_liveness(engine)
    event.listen(engine, 'handle_error', _drop_read_only)
    event.listen(engine, 'handle_error', _hide_values)
    return engine


def _drop_read_only(context: ExceptionContext) -> None:
    """Replace the pool after a failover: its other connections lead to the same reader."""
    if getattr(context.original_exception, 'pgcode', None) == _READ_ONLY:
        context.is_disconnect = True


def _hide_values(context: ExceptionContext) -> None:
    """Keep only the first line of the server's message: the others quote the row and the statement."""
    original = context.original_exception
    primary: str | None = getattr(getattr(original, 'diag', None), 'message_primary', None)
    if primary is None:
        return
    if (getattr(original, 'pgcode', None) or '').startswith(_DATA_EXCEPTION):
        # The first line quotes the value.
        primary = type(original).__name__
    original.args = (primary, )
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f'(psycopg2.errors.{type(original).__name__}) {primary}', )


def is_transient(error: BaseException | None) -> bool:
    """Whether the database was unreachable, busy or stopping."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state: str | None = getattr(error.orig, 'pgcode', None)
    if state is None:
        # Raised by libpq: it could not connect, or lost the connection.
        return type(error.orig).__name__ in ('OperationalError', 'InterfaceError')
    return state.startswith(_TRANSIENT)


def broken_constraint(error: IntegrityError) -> str | None:
    """Return the constraint's name. The error's text depends on the server's language."""
    name: str | None = getattr(getattr(error.orig, 'diag', None), 'constraint_name', None)
    return name


def is_lock_timeout(error: DBAPIError) -> bool:
    return getattr(error.orig, 'pgcode', None) == _LOCK_TIMEOUT
