"""What a process and all that descend from it have used."""
import os
from pathlib import Path

from tests.support.processes import family_of

_TICKS = os.sysconf('SC_CLK_TCK')


def memory_of(pid: int) -> int:
    """The sum of their shares (PSS), in bytes."""
    total = 0
    for each in family_of(pid):
        try:
            rollup = Path(f'/proc/{each}/smaps_rollup').read_text(encoding='ascii')
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith('Pss:')) * 1024
    return total


def processor_time_of(pid: int) -> float:
    """Seconds, of those that run and of their children that have ended."""
    ticks = 0
    for each in family_of(pid):
        try:
            # The second field, a name in brackets, may hold anything.
            fields = Path(f'/proc/{each}/stat').read_text(encoding='utf-8').rpartition(')')[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # utime, stime, cutime and cstime of proc_pid_stat(5), whose numbers begin with the name before.
        ticks += sum(int(each) for each in fields[11:15])
    return ticks / _TICKS
