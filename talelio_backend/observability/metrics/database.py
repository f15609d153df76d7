import re
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, ExceptionContext, PoolProxiedConnection, QueuePool, event
from sqlalchemy.exc import TimeoutError as PoolTimeout

from talelio_backend.observability.metrics.sharing import counter, gauge, histogram

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

# After an optional comment.
_VERB = re.compile(r'\s*(?:/\*.*?\*/\s*)?(\w+)')
_VERBS = frozenset(('select', 'insert', 'update', 'delete'))

_COUNTED = 'talelio_counted'


class DatabaseMetrics:

    def __init__(self) -> None:
        self._in_use = gauge('talelio_db_connections_in_use', 'Connections in use')
        self._limit = gauge('talelio_db_connections_limit', 'Maximum connections')
        self._opened = counter('talelio_db_connections_opened', 'Connections opened')
        self._wait = histogram(
            'talelio_db_connection_wait_seconds',
            'Time to get a connection, or until the timeout',
            buckets=_SECONDS
        )
        self._query = histogram(
            'talelio_db_query_duration_seconds',
            'Time from sending a statement to its result', ('statement', ),
            buckets=_SECONDS
        )
        self._errors = counter(
            'talelio_db_errors', "Errors, by the driver's class; PoolTimeout: no connection was available",
            ('kind', )
        )
        for kind in ('OperationalError', 'PoolTimeout'):
            self._errors.labels(kind)
        self._queries = {verb: self._query.labels(verb) for verb in (*_VERBS, 'other')}

    def pool_class(self) -> type[QueuePool]:
        """Return a QueuePool that measures the time to get a connection."""
        wait, errors = self._wait, self._errors

        class MeasuredPool(QueuePool):

            def connect(self) -> PoolProxiedConnection:
                began = perf_counter()
                try:
                    return super().connect()
                except PoolTimeout:
                    errors.labels('PoolTimeout').inc()
                    raise
                finally:
                    wait.observe(perf_counter() - began)

        return MeasuredPool

    def watch(self, engine: Engine, *, pool_size: int) -> None:
        self._limit.set(pool_size)
        event.listen(engine, 'connect', lambda *_: self._opened.inc())
        event.listen(engine, 'checkout', self._checkout)
        event.listen(engine, 'checkin', self._checkin)
        # A detached connection no longer counts towards the limit.
        event.listen(engine, 'detach', self._checkin)
        event.listen(engine, 'before_cursor_execute', self._begin)
        event.listen(engine, 'after_cursor_execute', self._end)
        event.listen(engine, 'handle_error', self._fail)

    def _checkout(self, _connection: Any, record: Any, _proxy: Any) -> None:
        # A connection that fails on checkout is checked in without this event.
        record.record_info[_COUNTED] = True
        self._in_use.inc()

    def _checkin(self, _connection: Any, record: Any) -> None:
        if record.record_info.pop(_COUNTED, False):
            self._in_use.dec()

    def _begin(
        self, _connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool
    ) -> None:
        context.talelio_begun = perf_counter()

    def _end(
        self, _connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool
    ) -> None:
        seconds = perf_counter() - context.talelio_begun
        verb = _VERB.match(statement)
        self._queries.get(verb[1].lower() if verb else '', self._queries['other']).observe(seconds)

    def _fail(self, context: ExceptionContext) -> None:
        # Such as UniqueViolation; bounded by psycopg2's error classes.
        self._errors.labels(type(context.original_exception).__name__).inc()
