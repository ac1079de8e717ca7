"""Gunther's Universal Scalability Law: what more workers, or more guests, bring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Three coefficients, and six of what they are to explain.
FEWEST_LEVELS = 3
ENOUGH_LEVELS = 6


@dataclass(frozen=True)
class Scalability:
    """The law `X(n) = rate n / (1 + contention (n - 1) + coherency n (n - 1))`.

    Source: N. J. Gunther, "Guerrilla Capacity Planning" (Springer, 2007), chapter 4.

    Attributes:
        rate: what one brings, a second.
        contention: the share that is done one by one; 0 is a straight line.
        coherency: what each pair costs; above 0 there is a most that is ever reached.
    """

    rate: float
    contention: float
    coherency: float

    def throughput(self, level: float) -> float:
        """Return what so many bring, a second."""
        lost = self.contention * (level - 1) + self.coherency * level * (level - 1)
        return self.rate * level / (1 + lost)

    @property
    def best(self) -> float:
        """How many bring the most; infinity where more never bring less."""
        if self.coherency <= 0:
            return math.inf
        return math.sqrt(max(0.0, 1 - self.contention) / self.coherency)


def fit(levels: Sequence[float], throughputs: Sequence[float]) -> Scalability:
    """Return the law that is nearest to what was measured.

    `n / X(n)` is linear in `1 / rate` and the other two, so that least squares need no
    starting point. Each point counts by its relative error, and no coefficient is below
    0: of those that would be, the best choice of which to leave out is found by trying
    all four.

    Args:
        levels: how many workers, machines or guests; at least three different ones, and
            six before the result deserves belief (`ENOUGH_LEVELS`).
        throughputs: what each brought, a second.

    Raises:
        ValueError: there are too few levels, or a figure is not above zero.
    """
    if len(set(levels)) < FEWEST_LEVELS or len(levels) != len(throughputs):
        raise ValueError(f"measure a throughput at {FEWEST_LEVELS} levels or more")
    if min(*levels, *throughputs) <= 0:
        raise ValueError("levels and throughputs are above 0")
    n = np.asarray(levels, dtype=float)
    each = n / np.asarray(throughputs, dtype=float)
    columns = np.stack([np.ones_like(n), n - 1, n * (n - 1)], axis=1) / each[:, None]
    tried = [_solved(columns, kept) for kept in ([0, 1, 2], [0, 1], [0, 2], [0])]
    allowed = [found for found in tried if found.min() >= 0 and found[0] > 0]
    one, more, pairs = min(allowed, key=lambda found: _distance(columns, found))
    return Scalability(float(1 / one), float(more / one), float(pairs / one))


def held_out(
    levels: Sequence[float], throughputs: Sequence[float]
) -> list[tuple[float, float, float]]:
    """Predict each level from all the others; how else would one see a wrong law?

    Returns:
        Of each level: itself, what was predicted, and the relative error.
    """
    found = []
    for at, level in enumerate(levels):
        others = [number for number in range(len(levels)) if number != at]
        law = fit([levels[i] for i in others], [throughputs[i] for i in others])
        predicted = law.throughput(level)
        found.append((level, predicted, predicted / throughputs[at] - 1))
    return found


def _solved(columns: NDArray[np.float64], kept: list[int]) -> NDArray[np.float64]:
    found = np.zeros(columns.shape[1])
    found[kept] = np.linalg.lstsq(columns[:, kept], np.ones(len(columns)))[0]
    return found


def _distance(columns: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    return float(np.sum((columns @ found - 1) ** 2))
