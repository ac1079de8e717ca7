"""Percentiles of the benchmark's samples: no input, no output, no clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


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
