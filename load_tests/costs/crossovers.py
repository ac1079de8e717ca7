"""Where one stage's bill overtakes another's, found by search and not by algebra.

Bills have steps (another instance) and bends (a tier, Cognito's free users), so they
may cross more than once: every change of order up to a million users is found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from itertools import combinations, pairwise

from .instances import TooLarge
from .prices import NOTHING
from .stages import STAGES, Terms, bill
from .usage import Usage

FEWEST, MOST = 100, 1_000_000
STEPS_A_DECADE = 20

Difference = Callable[[int], Decimal]
Total = Callable[[int, int], Decimal | None]


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
    terms = terms or Terms()

    @cache
    def total(stage: int, users: int) -> Decimal | None:
        try:
            return bill(stage, replace(usage, users=Decimal(users)), terms).total
        except TooLarge:
            return None

    each = sum(replace(usage, users=Decimal(1)).a_month().values(), Decimal(0))
    found = [
        Crossover(users, dearer, cheaper, each * users, total(dearer, users) or NOTHING)
        for one, other in combinations(STAGES, 2)
        for users, dearer, cheaper in _between(one, other, total)
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


def _between(one: int, other: int, total: Total) -> Iterator[tuple[int, int, int]]:
    """Return users, the stage that is dearer from there on, and the cheaper one."""

    def difference(users: int) -> Decimal:
        return (total(other, users) or NOTHING) - (total(one, users) or NOTHING)

    def both(users: int) -> bool:
        return total(one, users) is not None and total(other, users) is not None

    points = [users for users in _points() if both(users)]
    for users, other_is_dearer in changes(difference, points):
        yield (users, other, one) if other_is_dearer else (users, one, other)


def _points() -> list[int]:
    decades = math.log10(MOST / FEWEST)
    count = round(decades * STEPS_A_DECADE)
    return [round(FEWEST * 10 ** (at / STEPS_A_DECADE)) for at in range(count + 1)]
