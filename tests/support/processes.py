"""What runs on this machine, from /proc (Linux)."""
from collections import defaultdict
from pathlib import Path

_PROC = Path('/proc')


def family_of(pid: int) -> list[int]:
    """A process and all that descend from it."""
    family = [pid]
    children = _children_by_parent()
    for member in family:
        family.extend(children[member])
    return family


def children_of(pid: int) -> list[int]:
    """Empty for a process that has ended."""
    return _children_by_parent()[pid]


def _children_by_parent() -> defaultdict[int, list[int]]:
    # Each is asked for its parent: a thread's list of children is only right while nothing starts or ends.
    children = defaultdict(list)
    for pid in [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]:
        fields = stat_of(pid)
        if fields:
            children[int(fields[1])].append(pid)
    return children


def command_of(pid: int) -> str:
    """Its words, with blanks between them; empty for a process that has ended."""
    try:
        return (_PROC / str(pid) / 'cmdline').read_text(encoding='utf-8').replace('\0', ' ').strip()
    except (FileNotFoundError, ProcessLookupError):
        return ''


def parent_of(pid: int) -> int:
    return int(stat_of(pid)[1])


def stat_of(pid: int) -> list[str]:
    """The fields of proc_pid_stat(5) from the third one on; none of a process that has ended."""
    try:
        return parse_stat((_PROC / str(pid) / 'stat').read_text(encoding='utf-8', errors='replace'))
    except (FileNotFoundError, ProcessLookupError):
        return []


def parse_stat(stat: str) -> list[str]:
    # The second field, a name in brackets, may hold anything.
    return stat.rpartition(')')[2].split()
