"""What was measured in several rounds, and what it comes to."""
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Spread:
    """Of several rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> 'Spread':
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Target:
    bound: float
    # Whether it is the most that is wanted, or the least.
    at_most: bool = False

    def is_met_by(self, spread: Spread) -> bool:
        return spread.median <= self.bound if self.at_most else spread.median >= self.bound


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table. The target is for the ratio where there is one, and else for what was measured."""

    group: str
    name: str
    unit: str
    measured: Spread
    ratio: Spread | None = None
    target: Target | None = None
    # Milliseconds of processor time a request: the server's processes, and PostgreSQL's.
    server_ms: float | None = None
    database_ms: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    # Not in the table: what the client took of the machine for a request.
    client_ms: float | None = None

    @property
    def is_met(self) -> bool | None:
        return None if self.target is None else self.target.is_met_by(self.ratio or self.measured)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One round of a case."""

    rate: float
    server: float = 0.0
    database: float = 0.0
    client: float = 0.0
    # The processor times, in seconds, are of so many requests.
    requests: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def capacity(self) -> float:
        """Requests per second of processor time, which other work affects least, or the rate without it."""
        seconds = self.server + self.database
        return self.requests / seconds if seconds and self.requests else self.rate


@dataclass
class Case:
    """Measured once a round, right after its floor."""

    name: str
    measure: Callable[[], Sample]
    floor: 'Case | None' = None
    target: Target | None = None
    unit: str = '/s'
    samples: list[Sample] = field(default_factory=list)

    def row(self, group: str) -> Row:
        latencies = [latency for sample in self.samples for latency in sample.latencies]
        requests = sum(sample.requests for sample in self.samples)

        def milliseconds(seconds: float) -> float | None:
            return seconds / requests * 1000 if requests else None

        return Row(
            group=group,
            name=self.name,
            unit=self.unit,
            measured=Spread.of([sample.rate for sample in self.samples]),
            ratio=None if self.floor is None else Spread.of([
                own.capacity / floor.capacity
                for own, floor in zip(self.samples, self.floor.samples, strict=True)
            ]),
            target=self.target,
            server_ms=milliseconds(sum(sample.server for sample in self.samples)),
            database_ms=milliseconds(sum(sample.database for sample in self.samples)),
            client_ms=milliseconds(sum(sample.client for sample in self.samples)),
            p50_ms=in_ms(percentile(latencies, 50)),
            p99_ms=in_ms(percentile(latencies, 99)),
        )


def measure_in_rounds(group: str, cases: Sequence[Case], rounds: int) -> list[Row]:
    """Each case in each round, every other round the other way about: what drifts, drifts for all."""
    for number in range(rounds):
        for case in cases if number % 2 == 0 else reversed(cases):
            case.samples.append(case.measure())
    return [case.row(group) for case in cases]


def percentile(values: Sequence[float], percent: float) -> float | None:
    """By nearest rank; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def in_ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How much y grows with each x, by least squares; 0 of fewer than two points."""
    if len({x for x, _ in points}) < 2:
        return 0.0
    return statistics.linear_regression(*zip(*points)).slope
