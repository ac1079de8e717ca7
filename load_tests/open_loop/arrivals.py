"""When the requests of a load are meant to be sent. No clock, no network."""

from __future__ import annotations

import random


def constant(rate: float, seconds: float) -> list[float]:
    """Return evenly spaced arrivals, in seconds since the start.

    Args:
        rate: arrivals a second.
        seconds: for how long.
    """
    return [number / rate for number in range(round(rate * seconds))]


def poisson(rate: float, seconds: float, seed: int) -> list[float]:
    """Return arrivals of many guests who know nothing of each other.

    The gaps are exponentially distributed; the same seed gives the same arrivals.

    Args:
        rate: arrivals a second on the average.
        seconds: for how long.
        seed: of the gaps.
    """
    gaps = random.Random(seed)
    found, at = [], gaps.expovariate(rate)
    while at < seconds:
        found.append(at)
        at += gaps.expovariate(rate)
    return found
