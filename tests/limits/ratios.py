"""Judges a measurement by one taken beside it, since neither figure means anything on a busy machine."""
from collections.abc import Callable
from statistics import median


def median_ratio(measure: Callable[[], tuple[float, float]], *, rounds: int = 5) -> float:
    """Measure a subject and its reference in each round; return the median of subject / reference."""
    pairs = [measure() for _ in range(rounds)]
    return median(subject / reference for subject, reference in pairs)
