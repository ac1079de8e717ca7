"""Killing processes at every crash point of an order's life."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle, islice

from ..client import Buyer, Purchase
from ..lives import Crashes
from ..oracle import Oracle
from ..report import Figure
from ..sizes import Size
from ..world import World

FIRE_SECONDS = 12.0
TRIES = 8
INSIST_SECONDS = 20.0
SETTLE_SECONDS = 90.0
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_mastercard")


def run(world: World, size: Size) -> Figure:
    """Kill so many processes, first at every point in turn, then at random ones."""
    lanes = world.fresh_buyers(world.under.lanes)
    *_, nothing_left = world.products
    oracle = Oracle(world, lanes, sold_out=nothing_left)
    before = Counter(world.crash.kills())
    every_point = sum(len(life.points) for life in world.under.lives)
    enough = size.kills if size.sample else max(size.kills, every_point)
    plan = _Plan(planned(world.under.lives, enough, world.chance("kills")))
    with ThreadPoolExecutor(len(lanes)) as pool:
        missed = [
            life
            for missed in pool.map(
                lambda lane: _Lane(world, lane[1], plan, lane[0]).run(),
                enumerate(lanes),
            )
            for life in missed
        ]
    # Other lanes' kills took the process first, each time: now with nobody beside.
    missed = _Lane(world, lanes[0], _Plan(missed), len(lanes)).run()
    verdict = oracle.judge(SETTLE_SECONDS * world.under.pace)
    kills = Counter(world.crash.kills()) - before
    wanted = {point for life in world.under.lives for point in life.points}
    return Figure(
        scenario="SIGKILL at crash points",
        trials=kills.total(),
        seed=world.seed,
        looked_for="orders lost, charged twice, charged and not confirmed, stock, mail",
        result=f"{len(wanted & kills.keys())} of {len(wanted)} points; {verdict}",
        met=not verdict.violations and not missed and kills.total() >= enough,
        details=[f"never fired: {life}" for life in missed]
        + [str(violation) for violation in verdict.violations],
    )


def planned(
    lives: Sequence[Crashes], kills: int, chance: random.Random
) -> list[Crashes]:
    """Choose the lives that make so many kills.

    All of them once when that fits, evenly spread ones when it does not; then any, in
    random order.
    """
    everything = sum(len(life.points) for life in lives)
    if everything > kills:
        step = -(-everything // kills)
        start = chance.randrange(step)
        chosen: Iterator[Crashes] = cycle([*lives[start::step], *lives])
    else:
        more = (chance.choice(lives) for _ in range(kills))
        chosen = iter([*lives, *(replace(x, card=_card(x, chance)) for x in more)])
    plan: list[Crashes] = []
    while sum(len(life.points) for life in plan) < kills:
        plan += islice(chosen, 1)
    return plan


def _card(life: Crashes, chance: random.Random) -> str:
    return chance.choice(CARDS) if life.card in CARDS else life.card


class _Plan:
    """The lives still to be led, dealt out to the lanes."""

    def __init__(self, lives: Sequence[Crashes]) -> None:
        self._lives = iter(lives)
        self._lock = threading.Lock()
        # The faults of the Stripe sandbox are for one order at a time.
        self.faults = threading.Lock()

    def next(self) -> Crashes | None:
        with self._lock:
            return next(self._lives, None)


class _Lane:
    """One buyer after whom processes die."""

    def __init__(self, world: World, buyer: Buyer, plan: _Plan, number: int) -> None:
        self._world = world
        self._buyer = buyer
        self._plan = plan
        self._chance = world.chance(f"lane {number}")

    def run(self) -> list[Crashes]:
        """Lead lives until there are no more; return those that did not work."""
        missed = []
        while life := self._plan.next():
            if not any(self._lead(life) for _ in range(TRIES)):
                missed.append(life)
        return missed

    def _lead(self, life: Crashes) -> bool:
        """Buy something while processes die; tell whether all of them did.

        Another lane's kill may take the process first: then it has to be tried again.
        """
        *in_stock, nothing_left = self._world.products
        anything = nothing_left if life.sold_out else self._chance.choice(in_stock)
        purchase = Purchase(
            product_id=life.product or anything,
            quantity=self._chance.randint(1, 3),
            card=life.card,
        )
        if life.faults or life.places:
            with self._plan.faults:
                self._world.break_stripe(**life.faults or {})
                self._world.under.break_places(**life.places or {})
                fired = self._die(life, purchase)
                self._world.break_stripe()
                self._world.under.break_places()
        else:
            fired = self._die(life, purchase)
        # Some clients ask again under the same key, the others closed the browser.
        if self._chance.random() < 0.5:
            self._buyer.insist(purchase, INSIST_SECONDS)
        return fired

    def _die(self, life: Crashes, purchase: Purchase) -> bool:
        first, *later = life.points
        patience = FIRE_SECONDS * self._world.under.pace
        with self._world.crash.armed(first) as shot:
            told = self._buyer.send(purchase)
            # What nobody waits for follows later.
            if not shot.wait(0 if first.startswith("web.") else patience):
                return False
        answers = first.startswith("web.") and self._world.under.web_answers
        if later and answers and told.order:
            # Another lane's call was killed: nobody will take this order up.
            return False
        if life.old and (order := self._buyer.order_of(purchase)):
            self._world.under.make_old(order["orderId"])
        for point in later:
            with self._world.crash.armed(point) as shot:
                if life.retried:
                    self._buyer.send(purchase)
                if not shot.wait(patience):
                    return False
        return True
