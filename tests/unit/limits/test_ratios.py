from tests.limits.ratios import median_ratio


def test_each_subject_is_compared_with_the_reference_of_its_own_round() -> None:
    # The third round ran on a machine ten times as slow; the last was disturbed in its subject alone.
    rounds = iter([(2.0, 1.0), (2.0, 2.0), (30.0, 10.0), (4.0, 1.0), (50.0, 1.0)])

    assert median_ratio(lambda: next(rounds)) == 3.0


def test_the_number_of_rounds_can_be_chosen() -> None:
    rounds = iter([(2.0, 1.0), (2.0, 2.0), (3.0, 1.0)])

    assert median_ratio(lambda: next(rounds), rounds=3) == 2.0
    assert next(rounds, None) is None
