from collections.abc import Iterator
from pathlib import Path


def family_of(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    yield pid
    for child in children_of(pid):
        yield from family_of(child)


def children_of(pid: int) -> list[int]:
    """Empty for a process that has ended."""
    try:
        tasks = list(Path(f'/proc/{pid}/task').iterdir())
        return [int(child) for task in tasks for child in (task / 'children').read_text('ascii').split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def command_of(pid: int) -> str:
    """Its words, with blanks between them; empty for a process that has ended."""
    try:
        return Path(f'/proc/{pid}/cmdline').read_text(encoding='utf-8').replace('\0', ' ').strip()
    except (FileNotFoundError, ProcessLookupError):
        return ''


def parent_of(pid: int) -> int:
    status = Path(f'/proc/{pid}/status').read_text(encoding='utf-8')
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith('PPid:'))
