"""Many calls at once under one Idempotency-Key."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from ..client import Purchase
from ..oracle import Oracle
from ..report import Figure
from ..sizes import Size
from ..stages import DECLINED
from ..world import World

CALLS = 50
SETTLE_SECONDS = 60.0


def run(world: World, size: Size) -> Figure:
    """Send the same purchase fifty times at the same moment, for two cards."""
    buyer = world.fresh_buyers(1)[0]
    oracle = Oracle(world, [buyer])
    for card in ("pm_card_visa", DECLINED):
        purchase = Purchase(world.products[0], 2, card)
        start = threading.Barrier(CALLS)

        def call(_: int, start=start, purchase=purchase) -> None:
            start.wait(60)
            buyer.send(purchase)

        with ThreadPoolExecutor(CALLS) as pool:
            list(pool.map(call, range(CALLS)))
    verdict = oracle.judge(SETTLE_SECONDS)
    return Figure(
        scenario=f"{CALLS} checkouts under one key, twice",
        trials=2 * CALLS,
        looked_for="one order and one charge of the good card, none of the other",
        result=str(verdict),
        met=not verdict.violations
        and verdict.orders == {"confirmed": 1, "declined": 1},
        details=[str(violation) for violation in verdict.violations],
    )
