"""One life of an order with crashes in it, as the stages list them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BOTH = ("before", "after")
DECLINED = "pm_card_visa_chargeDeclined"


@dataclass(frozen=True)
class Crashes:
    """One life of an order with crashes in it.

    Attributes:
        points: where a process dies, one after the other. The first is reached in the
            purchase itself, if it is not of a sweep.
        card: the payment method.
        faults: of the Stripe sandbox, from the start of the purchase.
        old: whether the order is made so old, after the first crash, that it is given
            up instead of finished.
        retried: whether later points are reached by the client's own retry.
        sold_out: whether what is bought has been sold out before.
        product: what is bought; anything unless given.
        places: faults of the suppliers, from the start of the purchase.
    """

    points: tuple[str, ...]
    card: str = "pm_card_visa"
    faults: dict[str, Any] | None = None
    old: bool = False
    retried: bool = False
    sold_out: bool = False
    product: str = ""
    places: dict[str, Any] | None = None


def each(*names: str, **how: Any) -> list[Crashes]:
    """Crash before and after each of the last of these, all after the earlier ones.

    Args:
        names: points, the last of them several with spaces between, and without
            `before` or `after`.
        how: what else to say of each life.
    """
    *earlier, points = names
    return [
        Crashes((*earlier, f"{point}.{when}"), **how)
        for point in points.split()
        for when in BOTH
    ]


def fault(kind: str, operation: str) -> dict[str, Any]:
    """Let one call of the Stripe sandbox meet a fault."""
    return {kind: True, "operations": [operation], "times": 1}


def at(actor: str, names: str) -> str:
    """Name the points of an actor, `web` or `sweep`."""
    return " ".join(f"{actor}.{name}" for name in names.split())
