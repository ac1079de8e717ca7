"""Stripe is down for a while, under a steady load."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from ..client import Buyer, Purchase
from ..lives import DECLINED
from ..oracle import Oracle
from ..report import Figure
from ..sizes import Size
from ..world import World

CLIENTS = 6
PAUSE_SECONDS = 0.5
CALM_SECONDS = 1.0
SETTLE_SECONDS = 120.0  # the promise


def run(world: World, size: Size) -> Figure:
    """Buy steadily; in the middle, let every call to Stripe be refused."""
    clients = world.fresh_buyers(CLIENTS)
    oracle = Oracle(world, clients)
    over = threading.Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        work = [
            pool.submit(_shop, world, client, world.chance(f"shop {n}"), over)
            for n, client in enumerate(clients)
        ]
        time.sleep(CALM_SECONDS)
        world.break_stripe(refuse=True)
        time.sleep(size.outage_seconds)
        refused = world.injected()
        world.heal()
        time.sleep(CALM_SECONDS)
        over.set()
        for done in work:
            done.result()
    verdict = oracle.judge(SETTLE_SECONDS)
    put_off = sum(told.status == 503 for client in clients for told in client.log)
    return Figure(
        scenario=f"Stripe down {size.outage_seconds:g} s",
        trials=verdict.orders.total(),
        looked_for=f"every accepted order ends within {SETTLE_SECONDS:g} s after"
        + ("" if world.under.synchronous else "; no guest is put off"),
        result=f"{put_off} answers 503, {refused} calls refused; {verdict}; "
        f"settled after {verdict.settled_seconds:.0f} s",
        met=not verdict.violations
        and refused > 0
        and (put_off > 0) == world.under.synchronous,
        details=[str(violation) for violation in verdict.violations],
    )


def _shop(
    world: World,
    buyer: Buyer,
    chance: random.Random,
    over: threading.Event,
) -> None:
    longest = 2 * PAUSE_SECONDS * world.under.pace
    while not over.wait(chance.uniform(0, longest)):
        card = chance.choice(["pm_card_visa", "pm_card_visa", DECLINED])
        buyer.send(Purchase(chance.choice(world.products), card=card))
