"""How sure figures are, from rounds that are worked out by hand."""

import json
import math
import random
import statistics
from dataclasses import asdict
from math import exp

import pytest

from load_tests.costs.figures import RESULTS
from load_tests.intervals import Figure, difference, mean, ratio, t_95


def test_the_interval_is_student_s_of_the_logarithms():
    figures = [10.0, 11.0, 12.0, 10.5, 11.5]
    logs = [math.log(figure) for figure in figures]
    half = 2.7764 * statistics.stdev(logs) / math.sqrt(5)
    found = mean(figures)
    assert found.estimate == pytest.approx(statistics.geometric_mean(figures))
    assert found.high / found.estimate == pytest.approx(math.exp(half), rel=1e-4)
    assert found.estimate / found.low == pytest.approx(math.exp(half), rel=1e-4)


def test_what_disturbs_a_whole_round_cancels_in_its_ratio():
    theirs = [10.0, 2.0, 7.0]
    found = ratio([2 * figure for figure in theirs], theirs)
    assert (found.estimate, found.low, found.high) == pytest.approx((2, 2, 2))


def test_one_round_has_no_interval_and_proves_nothing():
    found = mean([5.0])
    assert found == Figure(pytest.approx(5.0))
    assert not found.above
    assert not found.below


@pytest.mark.parametrize(
    ("freedom", "point"), [(1, 12.706), (4, 2.776), (30, 2.042), (60, 2.0003)]
)
def test_student_s_points_are_those_of_the_tables(freedom, point):
    assert t_95(freedom) == pytest.approx(point, abs=6e-4)


@pytest.mark.parametrize("figures", [[], [1.0, 0.0]])
def test_a_figure_that_is_not_above_zero_has_no_mean(figures):
    with pytest.raises(ValueError, match="above zero"):
        mean(figures)


def test_equal_ratios_have_no_width():
    interval = ratio([90, 180, 45], [100, 200, 50])
    assert interval.estimate == pytest.approx(0.9)
    assert (interval.low, interval.high) == pytest.approx((0.9, 0.9))


def test_the_estimate_is_the_geometric_mean():
    assert ratio([50, 200], [100, 100]).estimate == pytest.approx(1.0)


def test_a_slow_round_slows_both_sides_and_leaves_the_ratio():
    steady = ratio([90, 90, 90], [100, 100, 100])
    disturbed = ratio([90, 9, 90], [100, 10, 100])
    assert disturbed.estimate == pytest.approx(steady.estimate)


def test_swapping_the_sides_inverts_the_estimate():
    ours, theirs = [95, 80, 88, 91, 79], [100, 99, 103, 98, 101]
    forth, back = ratio(ours, theirs), ratio(theirs, ours)
    assert forth.estimate == pytest.approx(1 / back.estimate)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    chance = random.Random(7)
    trials, rounds, hits = 1000, 7, 0
    for _ in range(trials):
        theirs = [100 * exp(chance.gauss(0, 0.3)) for _ in range(rounds)]
        ours = [0.9 * each * exp(chance.gauss(0, 0.05)) for each in theirs]
        found = ratio(ours, theirs)
        hits += found.low <= 0.9 <= found.high
    # A percentile bootstrap of seven rounds has 870.
    assert 930 <= hits <= 970


@pytest.mark.parametrize(
    ("ours", "theirs"), [([], []), ([1, 2], [1]), ([0, 1], [1, 1]), ([1], [-1])]
)
def test_unusable_rounds_are_refused(ours, theirs):
    with pytest.raises(ValueError, match="round|zero"):
        ratio(ours, theirs)


def test_equal_differences_have_no_width():
    interval = difference([3.0, 5.0, 4.0], [1.0, 3.0, 2.0])
    assert (interval.low, interval.estimate, interval.high) == (2.0, 2.0, 2.0)


def test_a_difference_may_be_nothing_or_less():
    interval = difference([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    assert interval.estimate == 0
    assert interval.low < 0 < interval.high


def test_a_difference_needs_pairs():
    with pytest.raises(ValueError, match="both sides"):
        difference([1.0], [])


# What is saved


def saved():
    """Return the intervals of saved benchmarks, each with the rounds it is made of."""
    one, two, three = (
        json.loads((RESULTS / f"stage{stage}-bench.json").read_text())
        for stage in (1, 2, 3)
    )
    for each in one["comparisons"]:
        yield each["ratio"], ratio(each["product"], each["bare"])
    yield two["mix"]["ratio"], ratio(two["mix"]["services"], two["mix"]["monolith"])
    for hop in two["hops"]:
        yield hop["cost"], difference(hop["with_hop"], hop["without"])
    visits = three["visits"]
    yield visits["ratio"], ratio(visits["functions"], visits["services"])


def test_saved_intervals_are_those_of_their_rounds():
    for told, found in saved():
        assert told == pytest.approx(asdict(found))
