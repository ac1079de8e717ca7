"""How sure a figure is that was measured in a few rounds. No input, no output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, stdev

import msgspec

# Two-sided 95 % points of Student's t for 1, 2, 3 ... degrees of freedom.
T_95 = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
    *(2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423),
)


class Figure(msgspec.Struct, frozen=True):
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

    The interval is Student's, of the logarithms. With five rounds a bootstrap would
    have it too narrow: it draws from five figures as if they were all there are.

    Args:
        figures: one of each round.

    Raises:
        ValueError: there are none, or one is not above zero.
    """
    if not figures or min(figures) <= 0:
        raise ValueError("rounds have figures above zero")
    logs = [math.log(figure) for figure in figures]
    middle = fmean(logs)
    if len(logs) == 1:
        return Figure(math.exp(middle))
    half = t_95(len(logs) - 1) * stdev(logs) / math.sqrt(len(logs))
    return Figure(math.exp(middle), math.exp(middle - half), math.exp(middle + half))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    """Compare two that were measured in turns, round by round.

    What disturbed a round disturbed both, and cancels in its ratio.

    Args:
        ours: of each round.
        theirs: of the same rounds.

    Raises:
        ValueError: they are not as many, or as in `mean`.
    """
    pairs = list(zip(ours, theirs, strict=True))
    return mean([mine / other for mine, other in pairs if other > 0])


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
