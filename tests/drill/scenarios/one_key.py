"""Many calls at once under one Idempotency-Key."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ..client import Buyer, Purchase
from ..lives import DECLINED
from ..oracle import Oracle
from ..report import Figure
from ..sizes import Size
from ..world import World

CALLS = 50
ROUNDS = 8
SETTLE_SECONDS = 60.0
PUT_OFF = (0, 429, 503)
TRIES = 10


def run(world: World, size: Size) -> Figure:
    """Send the same purchase fifty times at the same moment, for two cards.

    Then, a few times, let one other purchase under the same key come between.
    """
    buyer = world.fresh_buyers(1)[0]
    oracle = Oracle(world, [buyer])
    calls = min(CALLS, world.under.at_once)
    for card in ("pm_card_visa", DECLINED):
        _at_once(buyer, [Purchase(world.products[0], 2, card)] * calls)
    for _ in range(ROUNDS):
        this = Purchase(world.products[0], 1)
        _at_once(buyer, [this, Purchase(world.products[0], 2, key=this.key)] * 4)
    verdict = oracle.judge(SETTLE_SECONDS * world.under.pace)
    refused = sum(told.status == 422 for told in buyer.log)
    return Figure(
        scenario=f"{calls} checkouts under one key, twice; two purchases under one key",
        trials=len(buyer.log),
        looked_for="one order a key, one charge of the good card, none of the other",
        result=f"{refused} refused; {verdict}",
        met=not verdict.violations
        and verdict.orders == {"confirmed": 1 + ROUNDS, "declined": 1}
        and refused == 4 * ROUNDS,
        details=[str(violation) for violation in verdict.violations],
    )


def _at_once(buyer: Buyer, purchases: Sequence[Purchase]) -> None:
    start = threading.Barrier(len(purchases))

    def call(purchase: Purchase) -> None:
        start.wait(60)
        # Who is put off comes again, as the contract asks.
        for _ in range(TRIES):
            if buyer.send(purchase).status not in PUT_OFF:
                return
            time.sleep(1)

    with ThreadPoolExecutor(len(purchases)) as pool:
        list(pool.map(call, purchases))
