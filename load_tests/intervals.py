"""How sure a figure is that was measured in a few rounds. No input, no output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

# Two-sided 95 % points of Student's t for 1, 2, 3 ... degrees of freedom.
T_95 = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
    *(2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423),
)


@dataclass(frozen=True)
class Figure:
    """A figure and its 95 % interval, which one round alone does not have."""

    estimate: float
    low: float | None = None
    high: float | None = None

    @property
    def above(self) -> bool:
        """Whether it is surely above 1."""
        return self.low is not None and self.low > 1

    @property
    def below(self) -> bool:
        """Whether it is surely below 1."""
        return self.high is not None and self.high < 1


def mean(figures: Sequence[float]) -> Figure:
    """Return the geometric mean of rounds: what disturbs a machine, multiplies.

    The interval is Student's, of the logarithms. A percentile bootstrap would have it
    too narrow: it draws from seven figures as if they were all there are, and what it
    calls 95 % holds the truth in 87 % of cases then.

    Args:
        figures: one of each round.

    Raises:
        ValueError: there are none, or one is not above zero.
    """
    if not figures or min(figures) <= 0:
        raise ValueError("rounds have figures above zero")
    found = _student([math.log(figure) for figure in figures])
    ends = (None if end is None else math.exp(end) for end in (found.low, found.high))
    return Figure(math.exp(found.estimate), *ends)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    """Compare two that were measured in turns, round by round.

    What disturbed a round disturbed both, and cancels in its ratio.

    Args:
        ours: of each round.
        theirs: of the same rounds.

    Raises:
        ValueError: there are no rounds, rounds without a pair, or a figure that is
            not above zero.
    """
    _check_pairs(ours, theirs)
    if min(*ours, *theirs) <= 0:
        raise ValueError("a figure is not above zero: something did not answer")
    return mean([mine / other for mine, other in zip(ours, theirs, strict=True)])


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    """Tell by how much we are above another that was measured in turns.

    As `ratio`, for what adds up: the mean difference of the rounds.

    Args:
        ours: of each round, a latency say.
        theirs: of the same rounds, in the same unit.

    Raises:
        ValueError: there are no rounds, or rounds without a pair.
    """
    _check_pairs(ours, theirs)
    return _student([mine - other for mine, other in zip(ours, theirs, strict=True)])


def _check_pairs(ours: Sequence[float], theirs: Sequence[float]) -> None:
    if not ours or len(ours) != len(theirs):
        raise ValueError("each round needs a figure of both sides")


def _student(figures: Sequence[float]) -> Figure:
    """Return the mean and its interval, which one figure alone does not have."""
    middle = fmean(figures)
    if len(figures) == 1:
        return Figure(middle)
    half = t_95(len(figures) - 1) * stdev(figures) / math.sqrt(len(figures))
    return Figure(middle, middle - half, middle + half)


def t_95(freedom: int) -> float:
    """Return the two-sided 95 % point of Student's t; of many degrees of freedom by
    the expansion in M. Abramowitz and I. Stegun, formula 26.7.5."""
    if freedom <= len(T_95):
        return T_95[freedom - 1]
    z = NormalDist().inv_cdf(0.975)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    )
