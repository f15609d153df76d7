"""What the server reads for a question: the plans of its statements, as they were run."""
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Those that are sent meanwhile."""
    sent: list[tuple[str, Any]] = []

    def remember(*event_of: Any) -> None:
        sent.append((str(event_of[2]), event_of[3]))

    event.listen(engine, 'before_cursor_execute', remember)
    try:
        yield sent
    finally:
        event.remove(engine, 'before_cursor_execute', remember)


def nodes_of(engine: Engine, ask: Callable[[], object]) -> list[dict[str, Any]]:
    """The nodes of the plans of what is asked, as they were run."""
    with statements(engine) as sent:
        ask()
    assert sent
    nodes: list[dict[str, Any]] = []

    def collect(node: dict[str, Any]) -> None:
        nodes.append(node)
        for below in node.get('Plans', []):
            collect(below)

    with engine.connect() as connection:
        for statement, parameters in sent:
            explained: Any = connection.exec_driver_sql(
                f'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}', parameters
            ).scalar()
            collect((json.loads(explained) if isinstance(explained, str) else explained)[0]['Plan'])
    return nodes


def rows_of(node: dict[str, Any]) -> int:
    removed = node.get('Rows Removed by Filter', 0) + node.get('Rows Removed by Index Recheck', 0)
    return int((node['Actual Rows'] + removed) * node['Actual Loops'])


def check(engine: Engine, ask: Callable[[], object], most: int) -> list[dict[str, Any]]:
    """That nothing is read from end to end, and no more than `most` rows are read, or sorted."""
    nodes = nodes_of(engine, ask)
    assert not [node for node in nodes if node['Node Type'] == 'Seq Scan']
    read = sum(rows_of(node) for node in nodes if 'Scan' in node['Node Type'] and 'Relation Name' in node)
    found = sum(rows_of(node) for node in nodes if node['Node Type'] == 'Bitmap Index Scan')
    assert read + found <= most
    assert all(rows_of(node) <= most for node in nodes if 'Sort' in node['Node Type'])
    return nodes
