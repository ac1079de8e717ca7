"""What queues do: messages come three times, in any order; and some are poison."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..client import Buyer, Purchase, shared_out
from ..lives import DECLINED
from ..oracle import Oracle
from ..planted.chokes_on_three import THREE
from ..queues import DEAD
from ..report import Figure
from ..sizes import Size
from ..world import World

CLIENTS = 4
ROUND = 50
TIMES = 3
CHARGES = "charge-order"
EVENTS = ("order-outcomes", "notifications", "receipts")
SETTLE_SECONDS = 60.0
DIE_SECONDS = 240.0
POLL_SECONDS = 1.0


def repeats(world: World, size: Size) -> Figure:
    """Deliver every message three times, first of orders and then of their ends."""
    clients = world.fresh_buyers(CLIENTS)
    oracle = Oracle(world, clients)
    chance = world.chance("repeats")
    cards = ("pm_card_visa", "pm_card_visa", DECLINED)
    left, orders, events = size.repeated, 0, 0
    while left > 0:
        purchases = [
            Purchase(chance.choice(world.products), chance.randint(1, 3), card)
            for card in chance.choices(cards, k=min(ROUND, left))
        ]
        left -= len(purchases)
        with world.under.functions.paused(*EVENTS):
            with world.under.functions.paused(CHARGES):
                _send(clients, purchases)
                orders += world.under.queues.multiply(CHARGES, TIMES, chance)
            _wait_until_empty(world, CHARGES)
            events += sum(
                world.under.queues.multiply(queue, TIMES, chance) for queue in EVENTS
            )
    verdict = oracle.judge(SETTLE_SECONDS * world.under.pace)
    return Figure(
        scenario=f"each message {TIMES} times, shuffled ({orders:,} of orders, "
        f"{events:,} of ends)",
        trials=verdict.orders.total(),
        seed=world.seed,
        looked_for="one charge and one letter for each order",
        result=str(verdict),
        met=not verdict.violations and verdict.orders.total() >= size.repeated,
        details=[str(violation) for violation in verdict.violations],
    )


def poison(world: World, size: Size) -> Figure:
    """Deploy what fails on some orders; look, mend it, and redrive."""
    clients = world.fresh_buyers(CLIENTS)
    oracle = Oracle(world, clients)
    world.under.plant(world.stage, "chokes_on_three")
    purchases = [
        Purchase(world.products[0], THREE if number < size.poisoned else 1)
        for number in range(size.among)
    ]
    world.chance("poison").shuffle(purchases)
    try:
        _send(clients, purchases)
        wanted = {p.address for p in purchases if p.quantity == THREE}
        others = {p.address for p in purchases} - wanted
        dead = _waited_for(lambda: world.under.queues.addresses(CHARGES + DEAD), wanted)
        ended = _waited_for(lambda: _confirmed(clients), others)
    finally:
        world.under.plant(world.stage, "")
    redriven = world.under.queues.redrive(CHARGES)
    verdict = oracle.judge(SETTLE_SECONDS * world.under.pace)
    met = (dead, ended) == (wanted, others) and not verdict.violations
    return Figure(
        scenario=f"{size.poisoned} poisoned orders in {size.among:,}, then redrive",
        trials=size.among,
        looked_for="just these among the dead letters, the others confirmed; "
        "afterwards all, once",
        result=f"{len(dead)} dead, {len(ended)} confirmed meanwhile; "
        f"{redriven} letters redriven; {verdict}",
        met=met and verdict.orders == {"confirmed": size.among},
        details=[str(violation) for violation in verdict.violations],
    )


def _send(clients: Sequence[Buyer], purchases: Sequence[Purchase]) -> None:
    with ThreadPoolExecutor(len(clients)) as pool:
        shares = shared_out(purchases, len(clients))
        list(pool.map(_buy, clients, shares))


def _buy(buyer: Buyer, purchases: Sequence[Purchase]) -> None:
    for purchase in purchases:
        while not buyer.send(purchase).order_id:
            time.sleep(POLL_SECONDS)


def _confirmed(clients: Sequence[Buyer]) -> set[str]:
    return {
        order["deliveryAddress"]
        for buyer in clients
        for order in buyer.orders()
        if order["status"] == "confirmed"
    }


def _wait_until_empty(world: World, queue: str) -> None:
    deadline = time.monotonic() + DIE_SECONDS
    while world.under.queues.count(queue) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _waited_for(look: Callable[[], set[str]], wanted: set[str]) -> set[str]:
    """Return what is seen, once all that is wanted is among it."""
    deadline = time.monotonic() + DIE_SECONDS
    while True:
        found = look()
        if found >= wanted or time.monotonic() > deadline:
            return found
        time.sleep(POLL_SECONDS)
