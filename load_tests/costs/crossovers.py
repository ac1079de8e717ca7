"""Where one stage's bill overtakes another's, found by search and not by algebra.

Bills have steps (another instance) and bends (a tier, Cognito's free users), so they
may cross more than once: every change of order up to a million users is found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations, pairwise

from .instances import TooLarge
from .stages import STAGES, Terms, bill
from .usage import Usage

FEWEST, MOST = 100, 1_000_000
STEPS_A_DECADE = 20

Difference = Callable[[int], Decimal]


@dataclass(frozen=True)
class Crossover:
    """From so many users a month on, one stage costs more than another.

    Attributes:
        users: the first number at which it does.
        dearer: the stage that costs more from there on.
        cheaper: the other one.
        requests: of guests a month at that number of users.
        dollars: the dearer one's bill there.
    """

    users: int
    dearer: int
    cheaper: int
    requests: Decimal
    dollars: Decimal


def crossovers(usage: Usage, terms: Terms | None = None) -> list[Crossover]:
    """Return every crossover of two stages, by users.

    Args:
        usage: what guests do; its number of users does not matter.
        terms: prices and plans.
    """
    found = [
        crossing
        for one, other in combinations(STAGES, 2)
        for crossing in _between(one, other, usage, terms or Terms())
    ]
    return sorted(found, key=lambda it: (it.users, it.dearer))


def changes(difference: Difference, points: list[int]) -> Iterator[tuple[int, bool]]:
    """Find where a difference changes its sign, by bisection between points.

    Args:
        difference: of a whole number.
        points: rising; between two neighbours one change at most is found.

    Yields:
        The first number with the new sign, and whether that is positive.
    """
    for low, high in pairwise(points):
        before, after = difference(low) > 0, difference(high) > 0
        if before == after:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            if (difference(middle) > 0) == before:
                low = middle
            else:
                high = middle
        yield high, after


def _between(one: int, other: int, usage: Usage, terms: Terms) -> Iterator[Crossover]:
    def at(users: int) -> Usage:
        return replace(usage, users=Decimal(users))

    def difference(users: int) -> Decimal:
        return bill(other, at(users), terms).total - bill(one, at(users), terms).total

    points = [users for users in _points() if _can(one, other, at(users), terms)]
    for users, other_is_dearer in changes(difference, points):
        dearer, cheaper = (other, one) if other_is_dearer else (one, other)
        yield Crossover(
            users=users,
            dearer=dearer,
            cheaper=cheaper,
            requests=sum(at(users).a_month().values(), Decimal(0)),
            dollars=bill(dearer, at(users), terms).total,
        )


def _points() -> list[int]:
    decades = math.log10(MOST / FEWEST)
    count = round(decades * STEPS_A_DECADE)
    return [round(FEWEST * 10 ** (at / STEPS_A_DECADE)) for at in range(count + 1)]


def _can(one: int, other: int, usage: Usage, terms: Terms) -> bool:
    """Whether both stages can carry so many users at all."""
    try:
        for stage in (one, other):
            bill(stage, usage, terms)
    except TooLarge:
        return False
    return True
