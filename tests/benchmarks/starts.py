"""From the command to the first request that may come."""
import time

from tests.benchmarks.processes import memory_of
from tests.benchmarks.results import Case, Row, Sample, Spread, Target, measure_in_rounds
from tests.benchmarks.rig import Rig

_SECONDS = Target(2.0, at_most=True)


def starts(rig: Rig) -> list[Row]:
    memory: list[float] = []

    def start() -> Sample:
        api = rig.server('start', {})
        began = time.perf_counter()
        api.start()
        seconds = time.perf_counter() - began
        memory.append(memory_of(api.pid) / 2**20)
        api.stop()
        return Sample(rate=seconds)

    # That the database runs is taken for granted.
    _ = rig.database_url
    rows = measure_in_rounds(
        'starts', [Case('start to ready', start, target=_SECONDS, unit='s')], rig.pace.rounds
    )
    return [*rows, Row(group='starts', name='memory when ready', unit='MiB', measured=Spread.of(memory))]
