"""The figures of the benchmark from its samples: no input, no output, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
SEED = 20261123
LEVEL = 95.0


@dataclass(frozen=True)
class Interval:
    """A figure and the 95 % confidence interval around it."""

    estimate: float
    low: float
    high: float


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return a percentile of individual samples, between two by interpolation.

    Args:
        samples: in any order and unit.
        percent: 0 to 100.

    Raises:
        ValueError: there are no samples, or there is no such percentile.
    """
    if not samples:
        raise ValueError("there are no samples; measure for longer")
    if not 0 <= percent <= 100:
        raise ValueError(f"{percent} is no percentile; choose 0 to 100")
    return float(np.percentile(samples, percent))


def ratio_interval(ours: Sequence[float], theirs: Sequence[float]) -> Interval:
    """Compare two things that were measured in turns, round by round.

    The two of a round lay side by side in time, so that what disturbed one disturbed
    the other: the ratio is taken within each round. Ratios multiply, therefore the
    estimate is their geometric mean. The interval is the percentile bootstrap over
    rounds, with a fixed seed. Source: Efron and Tibshirani, An Introduction to the
    Bootstrap, chapter 13.

    Args:
        ours: our figure in each round, throughput say.
        theirs: the baseline's figure in the same rounds.

    Raises:
        ValueError: there are no rounds, rounds without a pair, or a figure that is
            not above zero.
    """
    _check_pairs(ours, theirs)
    if min(*ours, *theirs) <= 0:
        raise ValueError("a figure is not above zero: something did not answer")
    logs = np.log(np.asarray(ours, dtype=float) / np.asarray(theirs, dtype=float))
    found = _mean_interval(logs)
    return Interval(*(float(np.exp(value)) for value in found))


def difference_interval(ours: Sequence[float], theirs: Sequence[float]) -> Interval:
    """Tell by how much we are above a baseline, of what was measured in turns.

    As `ratio_interval`, for what adds up: the mean difference of the rounds.

    Args:
        ours: our figure in each round, a latency say.
        theirs: the baseline's figure in the same rounds, in the same unit.

    Raises:
        ValueError: there are no rounds, or rounds without a pair.
    """
    _check_pairs(ours, theirs)
    return Interval(
        *_mean_interval(np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float))
    )


def _check_pairs(ours: Sequence[float], theirs: Sequence[float]) -> None:
    if not ours or len(ours) != len(theirs):
        raise ValueError("each round needs a figure of both sides")


def _mean_interval(figures: NDArray[np.float64]) -> tuple[float, float, float]:
    rounds = len(figures)
    drawn = np.random.default_rng(SEED).integers(rounds, size=(RESAMPLES, rounds))
    tail = (100 - LEVEL) / 2
    low, high = np.percentile(figures[drawn].mean(axis=1), [tail, 100 - tail])
    return float(figures.mean()), float(low), float(high)
