"""The benchmark's figures from samples that are worked out by hand."""

import random
from math import exp

import pytest

from load_tests.bench.statistics import difference_interval, percentile, ratio_interval


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


def test_equal_ratios_have_no_width():
    interval = ratio_interval([90, 180, 45], [100, 200, 50])
    assert interval.estimate == pytest.approx(0.9)
    assert (interval.low, interval.high) == pytest.approx((0.9, 0.9))


def test_the_estimate_is_the_geometric_mean():
    assert ratio_interval([50, 200], [100, 100]).estimate == pytest.approx(1.0)


def test_a_slow_round_slows_both_sides_and_leaves_the_ratio():
    steady = ratio_interval([90, 90, 90], [100, 100, 100])
    disturbed = ratio_interval([90, 9, 90], [100, 10, 100])
    assert disturbed.estimate == pytest.approx(steady.estimate)


def test_swapping_the_sides_inverts_the_estimate():
    ours, theirs = [95, 80, 88, 91, 79], [100, 99, 103, 98, 101]
    forth, back = ratio_interval(ours, theirs), ratio_interval(theirs, ours)
    assert forth.estimate == pytest.approx(1 / back.estimate)


def test_the_same_samples_give_the_same_interval():
    ours, theirs = [95, 80, 88, 91, 79], [100, 99, 103, 98, 101]
    assert ratio_interval(ours, theirs) == ratio_interval(ours, theirs)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    chance = random.Random(7)
    hits = 0
    for _ in range(40):
        theirs = [100 * exp(chance.gauss(0, 0.3)) for _ in range(25)]
        ours = [0.9 * each * exp(chance.gauss(0, 0.05)) for each in theirs]
        interval = ratio_interval(ours, theirs)
        hits += interval.low <= 0.9 <= interval.high
    assert hits >= 34


@pytest.mark.parametrize(
    ("ours", "theirs"), [([], []), ([1, 2], [1]), ([0, 1], [1, 1]), ([1], [-1])]
)
def test_unusable_rounds_are_refused(ours, theirs):
    with pytest.raises(ValueError, match="round|zero"):
        ratio_interval(ours, theirs)


def test_equal_differences_have_no_width():
    interval = difference_interval([3.0, 5.0, 4.0], [1.0, 3.0, 2.0])
    assert (interval.low, interval.estimate, interval.high) == (2.0, 2.0, 2.0)


def test_a_difference_may_be_nothing_or_less():
    interval = difference_interval([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    assert interval.estimate == 0
    assert interval.low < 0 < interval.high


def test_a_difference_needs_pairs():
    with pytest.raises(ValueError, match="both sides"):
        difference_interval([1.0], [])
