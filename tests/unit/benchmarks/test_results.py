import pytest

from tests.benchmarks.results import Case, Row, Sample, Spread, Target, measure_in_rounds, percentile, slope


@pytest.mark.parametrize(('percent', 'value'), [(0, 1), (1, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)])
def test_a_percentile_is_one_of_the_values(percent: float, value: int) -> None:
    assert percentile(range(100, 0, -1), percent) == value


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 50) is None


@pytest.mark.parametrize(('points', 'grows'), [([], 0), ([(1, 5)], 0), ([(0, 5), (10, 5)], 0),
                                               ([(0, 1), (2, 5), (4, 9)], 2)])
def test_a_slope_is_how_much_y_grows_with_x(points: list[tuple[float, float]], grows: float) -> None:
    assert slope(points) == grows


@pytest.mark.parametrize(('at_most', 'value', 'is_met'), [(False, 0.9, True), (False, 0.89, False),
                                                          (True, 0.9, True), (True, 0.91, False)])
def test_a_target_is_a_bound_from_below_or_above(at_most: bool, value: float, is_met: bool) -> None:
    assert Target(0.9, at_most=at_most).is_met_by(Spread(value, 0, 10)) is is_met


def test_what_a_row_is_held_to_is_its_ratio_where_it_has_one() -> None:
    measured, target = Spread(100, 90, 110), Target(0.9)

    assert Row(group='', name='', unit='', measured=measured).is_met is None
    assert Row(group='', name='', unit='', measured=measured, target=target).is_met
    assert not Row(
        group='', name='', unit='', measured=measured, ratio=Spread(0.5, 0.4, 0.6), target=target
    ).is_met


def test_a_ratio_is_of_the_same_round_and_rounds_go_both_ways() -> None:
    order: list[str] = []
    requests = {'floor': iter([100, 400, 100]), 'case': iter([50, 100, 90])}

    def measure(name: str) -> Sample:
        order.append(name)
        number = next(requests[name])
        return Sample(rate=number, server=0.2, database=0.1, requests=number, latencies=[0.001, 0.003])

    floor = Case('floor', lambda: measure('floor'))
    case = Case('case', lambda: measure('case'), floor, Target(0.5))
    _, row = measure_in_rounds('group', [floor, case], 3)

    assert order == ['floor', 'case', 'case', 'floor', 'floor', 'case']
    assert row.measured == Spread(90, 50, 100)
    assert row.ratio == Spread(0.5, 0.25, 0.9)
    assert row.is_met
    assert (row.p50_ms, row.p99_ms) == (1, 3)
    assert row.server_ms == pytest.approx(600 / 240)
    assert row.database_ms == pytest.approx(300 / 240)


def test_a_ratio_without_processor_times_is_of_the_rates() -> None:
    floor = Case('floor', lambda: Sample(rate=4))
    case = Case('case', lambda: Sample(rate=2), floor)

    _, row = measure_in_rounds('group', [floor, case], 1)

    assert row.ratio == Spread(0.5, 0.5, 0.5)
