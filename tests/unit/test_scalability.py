"""The Universal Scalability Law finds again what it was made of."""

import math

import pytest

from load_tests.limits.scalability import Scalability, fit, held_out

LEVELS = [1, 2, 4, 8, 16, 32]


@pytest.mark.parametrize(
    ("contention", "coherency"), [(0.05, 0.002), (0.1, 0.0), (0.0, 0.001), (0.0, 0.0)]
)
def test_exact_points_give_the_law_back(contention, coherency):
    law = Scalability(100.0, contention, coherency)
    found = fit(LEVELS, [law.throughput(level) for level in LEVELS])
    assert found.rate == pytest.approx(100)
    assert found.contention == pytest.approx(contention, abs=1e-9)
    assert found.coherency == pytest.approx(coherency, abs=1e-9)


def test_the_published_example_has_its_peak_where_the_book_says():
    # sqrt((1 - 0.02) / 0.0001) of Gunther's formula for the maximum
    assert Scalability(1.0, 0.02, 0.0001).best == pytest.approx(98.99, abs=0.01)
    assert Scalability(1.0, 0.02, 0.0).best == math.inf


def test_no_coefficient_is_below_zero_when_two_bring_more_than_twice_as_much():
    found = fit([1, 2, 4], [10, 22, 50])
    assert found.contention >= 0
    assert found.coherency >= 0


def test_a_level_that_is_held_out_is_predicted_from_the_others():
    law = Scalability(50.0, 0.1, 0.01)
    told = held_out(LEVELS, [law.throughput(level) for level in LEVELS])
    assert [level for level, _, _ in told] == LEVELS
    assert all(abs(error) < 1e-9 for _, _, error in told)


@pytest.mark.parametrize(
    ("levels", "rates"),
    [([1, 2], [1, 2]), ([1, 2, 2], [1, 2, 2]), ([1, 2, 4], [1, 0, 2])],
)
def test_too_little_is_refused(levels, rates):
    with pytest.raises(ValueError, match="."):
        fit(levels, rates)
