"""How many guests there are at which moment. No Locust, no clock."""

from __future__ import annotations

import math
from collections.abc import Callable

STEPS = 5
SPIKE = (0.4, 0.6)
QUIET = 0.1
RAMP = 0.1

# What to call with the seconds since the start, the most users, and all the seconds.
Shape = Callable[[float, int, float], int]


def steady(at: float, users: int, seconds: float) -> int:
    """Return the same number all the time."""
    return users


def steps(at: float, users: int, seconds: float) -> int:
    """Return five equal steps up; the knee lies where throughput stops following."""
    step = min(STEPS, int(STEPS * at / seconds) + 1)
    return math.ceil(users * step / STEPS)


def spike(at: float, users: int, seconds: float) -> int:
    """Return a tenth, and all of them in the middle fifth of the time."""
    begins, ends = SPIKE
    loud = begins * seconds <= at < ends * seconds
    return users if loud else math.ceil(users * QUIET)


def soak(at: float, users: int, seconds: float) -> int:
    """Return a slow start over a tenth of the time, then the same number for long."""
    return max(1, math.ceil(users * min(1.0, at / (RAMP * seconds))))


SHAPES: dict[str, Shape] = {
    "steady": steady,
    "steps": steps,
    "spike": spike,
    "soak": soak,
}
