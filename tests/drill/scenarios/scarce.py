"""Many buyers at once for the few that there are."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from ..client import Buyer, Purchase, Told
from ..oracle import Oracle
from ..report import Figure
from ..sizes import Size
from ..world import World

STOCK = 10
SETTLE_SECONDS = 60.0
INSIST_SECONDS = 60.0


def run(world: World, size: Size) -> Figure:
    """Let them all buy the same thing at the same moment."""
    crowd = world.fresh_buyers(size.buyers)
    oracle = Oracle(world, crowd, stock=STOCK)
    told = buy_at_once(crowd, world)
    verdict = oracle.judge(SETTLE_SECONDS * world.under.pace)
    happy = sum(answer.end == "confirmed" for answer in told)
    sad = sum(answer.end == "failed" for answer in told)
    left = crowd[0].products()[world.products[0]]["stock"]
    return Figure(
        scenario=f"{size.buyers} buyers, stock of {STOCK}",
        trials=size.buyers,
        looked_for=f"{STOCK} confirmed, {size.buyers - STOCK} told so, stock 0",
        result=f"told: {happy} confirmed, {sad} sold out; stock {left}; {verdict}",
        met=not verdict.violations
        and (happy, sad, left) == (STOCK, size.buyers - STOCK, 0),
        details=[str(violation) for violation in verdict.violations],
    )


def buy_at_once(crowd: list[Buyer], world: World) -> list[Told]:
    """Let each buyer buy one of the same, all starting together.

    Where fewer can come at the same moment, the next begins when one has done.

    Returns:
        What each was told last.
    """
    together = min(world.under.at_once, len(crowd))
    patience = INSIST_SECONDS * world.under.pace
    start = threading.Barrier(together)

    def buy(number: int, buyer: Buyer) -> Told:
        if number < together:
            start.wait(60)
        return buyer.insist(Purchase(world.products[0]), patience)

    with ThreadPoolExecutor(together) as pool:
        return list(pool.map(buy, range(len(crowd)), crowd))
