"""The table for people, and the same for programs."""
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from talelio_backend.settings.server import THREADS
from tests.benchmarks.results import Row, Spread, Target

_TITLES = ('', 'measured', 'of its floor', 'wanted', 'CPU ms', 'of it DB', 'p50 ms', 'p99 ms')


def as_text(rows: Sequence[Row]) -> str:
    lines = [_TITLES, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_TITLES))]
    printed = []
    for line in lines:
        first, *others = (cell.rjust(width) for cell, width in zip(line, widths))
        printed.append('  '.join([first.strip().ljust(widths[0]), *others]))
    return '\n'.join(printed)


def as_markdown(rows: Sequence[Row]) -> str:
    lines = [_TITLES, ('---', *['--:'] * (len(_TITLES) - 1)), *(_cells(row) for row in rows)]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def as_json(rows: Sequence[Row], settings: dict[str, Any]) -> str:
    machine = {
        'processor': _processor(),
        'system': platform.platform(),
        'python': platform.python_version(),
        'threads_of_a_worker': THREADS,
    }
    content = {
        'machine': machine,
        'settings': settings,
        'rows': [asdict(row) | {
            'is_met': row.is_met
        } for row in rows]
    }
    return json.dumps(content, indent=2)


def _processor() -> str:
    try:
        information = Path('/proc/cpuinfo').read_text(encoding='utf-8')
    except FileNotFoundError:
        return platform.processor()
    models = [
        line.partition(':')[2].strip() for line in information.splitlines() if line.startswith('model name')
    ]
    return f'{len(models)} x {models[0]}' if models else platform.processor()


def _cells(row: Row) -> tuple[str, ...]:
    cpu = None if row.server_ms is None else row.server_ms + (row.database_ms or 0)
    return (
        row.name,
        f'{_spread(row.measured)} {row.unit}',
        '' if row.ratio is None else _spread(row.ratio),
        '' if row.target is None else f'{_target(row.target)} {"met" if row.is_met else "MISSED"}',
        _number(cpu),
        _number(row.database_ms if row.server_ms is not None else None),
        _number(row.p50_ms),
        _number(row.p99_ms),
    )


def _target(target: Target) -> str:
    return f'{"≤" if target.at_most else "≥"} {target.bound:g}'


def _spread(spread: Spread) -> str:
    if spread.low == spread.high:
        return _number(spread.median)
    return f'{_number(spread.median)} ({_number(spread.low)}–{_number(spread.high)})'


def _number(value: float | None) -> str:
    """Three figures that count."""
    if value is None:
        return ''
    if value == 0:
        return '0'
    if abs(value) >= 100:
        return f'{value:,.0f}'
    return f'{value:.1f}' if abs(value) >= 10 else f'{value:.2f}'
