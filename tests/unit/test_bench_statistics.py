"""The benchmark's percentiles from samples that are worked out by hand."""

import pytest

from load_tests.bench.statistics import percentile


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (50, 3), (75, 4), (100, 5)])
def test_percentile_of_five_samples_in_any_order(percent, expected):
    assert percentile([5, 1, 4, 2, 3], percent) == expected


def test_percentile_lies_between_two_samples():
    assert percentile([10.0, 20.0], 95) == pytest.approx(19.5)


def test_percentile_of_one_sample_is_that_sample():
    assert percentile([7.25], 99) == 7.25


def test_percentile_of_nothing_says_what_to_do():
    with pytest.raises(ValueError, match="measure for longer"):
        percentile([], 50)


@pytest.mark.parametrize("percent", [-1, 100.5])
def test_there_is_no_percentile_outside_0_to_100(percent):
    with pytest.raises(ValueError, match="no percentile"):
        percentile([1.0], percent)
