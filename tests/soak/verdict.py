"""What of a soak counts as failed, as grown and as not given back."""
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from tests.benchmarks.results import in_ms, percentile

# Of the flood's logins, which know no password.
FLOOD = 'wrong login'
# Statuses of what is carried out.
EXPECTED = {
    'list': 200,
    'list, gzip': 200,
    'project': 200,
    'not modified': 304,
    'publish': 201,
    'change': 200,
    'delete': 204,
    'upload': 200,
    'register': 201,
    'login': 200,
    FLOOD: 401,
}
READS = ('list', 'list, gzip', 'project', 'not modified')
LOGINS = ('login', FLOOD)
WRITES = tuple(kind for kind in EXPECTED if kind not in READS + LOGINS)

# Of all processes of the server together, between the medians of the first third and of the last.
MOST_GROWTH = 0.1
# Seconds at the beginning, as a share of the whole, in which caches fill and helpers start.
WARM_UP = 0.1
# Of one worker: kept connections to the store, and a request that is just being answered.
SPARE_DESCRIPTORS = 12


class Judgement(StrEnum):
    SERVED = 'served'
    TOLD_TO_RETRY = 'told to retry'
    FAILED = 'failed'


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one request."""

    kind: str
    # Seconds from the run's beginning until it was to be sent, and from then to the answer's end.
    due: float
    took: float
    # 0: no answer came.
    status: int = 0
    retry_after: bool = False
    # Why no answer came, or what is wrong with it.
    fault: str = ''
    # Who gave it, for whoever looks for the cause.
    said: str = ''


def judge(outcome: Outcome) -> Judgement:
    """A client may be told to come back, and nothing else."""
    if outcome.status == EXPECTED[outcome.kind] and not outcome.fault:
        return Judgement.SERVED
    if outcome.status in (429, 503) and outcome.retry_after:
        return Judgement.TOLD_TO_RETRY
    # Nothing was sent, and every client knows that.
    if outcome.fault == ConnectionRefusedError.__name__:
        return Judgement.TOLD_TO_RETRY
    return Judgement.FAILED


@dataclass(frozen=True)
class Phase:
    """Seconds from the beginning of the run."""

    name: str
    begin: float
    end: float


def phase_at(seconds: float, phases: Sequence[Phase]) -> str:
    return next(
        (phase.name for phase in phases if phase.begin <= seconds < phase.end),
        phases[-1].name,
    )


def summarize(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """How many there were of each judgement, and the milliseconds of reads, writes and logins."""
    chosen = list(outcomes)
    judgements = Counter(judge(outcome) for outcome in chosen)
    summary: dict[str, Any] = {judgement.value: judgements[judgement] for judgement in Judgement}
    for name, kinds in (('reads', READS), ('writes', WRITES), ('logins', ('login', ))):
        took = [outcome.took for outcome in chosen if outcome.kind in kinds]
        summary[name] = {'p50': in_ms(percentile(took, 50)), 'p99': in_ms(percentile(took, 99))}
    return summary


@dataclass(frozen=True)
class Growth:
    """MiB: medians of the first third after the warm-up, and of the last third."""

    first: float
    last: float

    @property
    def share(self) -> float:
        return self.last / self.first - 1

    @property
    def is_flat(self) -> bool:
        return self.share <= MOST_GROWTH

    def as_json(self) -> Mapping[str, float]:
        return asdict(self) | {'share': self.share}


def growth_of(samples: Sequence[tuple[float, float]], seconds: float) -> Growth:
    """`samples` are seconds and MiB. Raises ValueError where one of the thirds has none."""
    warm = seconds * WARM_UP
    third = (seconds - warm) / 3
    first = [mib for at, mib in samples if warm <= at < warm + third]
    last = [mib for at, mib in samples if at >= seconds - third]
    if not first or not last:
        raise ValueError('a third of the run has no sample of the memory')
    return Growth(statistics.median(first), statistics.median(last))


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What is held while nobody asks for anything."""

    # Of the database: all, and those that somebody in the service has not given back.
    connections: int
    in_use: int
    in_transaction: int
    # Of the worker process that has most.
    descriptors: int
    threads: int


def not_returned(before: Rest, after: Rest, *, most_connections: int, most_threads: int) -> list[str]:
    """What is wrong. Pools and threads may have filled up to their bounds."""
    wrong = []
    if after.in_use > before.in_use or after.in_transaction:
        wrong.append(f'{after.in_use} connections are in use, {after.in_transaction} in a transaction')
    if after.connections > most_connections:
        wrong.append(f'{after.connections} connections to the database instead of {most_connections}')
    if after.threads > most_threads:
        wrong.append(f'{after.threads} threads of a worker instead of {most_threads}')
    # Each connection to the database is one of them.
    allowed = before.descriptors + most_connections + SPARE_DESCRIPTORS
    if after.descriptors > allowed:
        wrong.append(f'{after.descriptors} descriptors of a worker instead of {allowed}')
    return wrong
