"""Random faults at Stripe, mail and between services, under many clients at once."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..client import Buyer, Purchase
from ..oracle import Oracle
from ..report import Figure
from ..sizes import Size
from ..world import World

CLIENTS = 16
SETTLE_SECONDS = 120.0
INSIST_SECONDS = 15.0
SHIFT_SECONDS = 1.0
CARDS = (
    *["pm_card_visa"] * 6,
    "pm_card_mastercard",
    "pm_card_visa_chargeDeclined",
    "pm_card_visa_chargeDeclinedInsufficientFunds",
    "pm_card_authenticationRequired",
)
# Each shift has its own mixture; statuses are chosen so that each kind of error comes.
MIXTURES: Sequence[dict[str, Any]] = (
    {"error_before": 500, "error_after": 500, "drop_after": True},
    {"error_before": 429, "drop_after": True, "refuse": True},
    {"hang_after": True, "error_after": 503, "drop_after": True},
    {"error_before": 503, "error_after": 502, "refuse": True, "hang": True},
    # Longer than the product's patience of a second: the effect comes after it left.
    {"drop_after": True, "latency_ms": {"fixed": 900, "random": 300}},
)
SHARE = 0.35
# Between services, where each call is tried three times. `late` comes after an end.
BETWEEN: Sequence[tuple[str, ...]] = (
    ("lost", "error_after"),
    ("refuse", "lost", "error_before"),
    ("lost", "hang", "late"),
    ("refuse", "error_before", "error_after", "lost", "hang", "late"),
)
SHARE_BETWEEN = 0.2
LATENCY_SECONDS = 0.3


def run(world: World, size: Size) -> Figure:
    """Buy while faults rain, until there were enough of both; then heal and wait."""
    clients = world.fresh_buyers(min(CLIENTS, world.under.at_once))
    oracle = Oracle(world, clients)
    storm = _Storm(world)
    storm.start()
    enough = _Enough(clients, size, storm)
    try:
        with ThreadPoolExecutor(len(clients)) as pool:
            work = [
                pool.submit(_shop, world, client, world.chance(f"shop {n}"), enough)
                for n, client in enumerate(clients)
            ]
            for done in work:
                done.result()
    finally:
        storm.stop()
    world.heal()
    verdict = oracle.judge(SETTLE_SECONDS)
    orders = verdict.orders.total()
    faults_met = storm.injected >= size.faults and orders >= size.fault_orders
    return Figure(
        scenario=f"random faults at {storm.where}",
        trials=storm.injected,
        seed=world.seed,
        looked_for=f"over {orders:,} orders: lost, charged twice or for nothing",
        result=f"{verdict}; settled {verdict.settled_seconds:.0f} s after healing",
        met=not verdict.violations and faults_met,
        details=[str(violation) for violation in verdict.violations],
    )


def _shop(world: World, buyer: Buyer, chance: random.Random, enough: _Enough) -> None:
    # Where nobody waits, whoever never did would only make a longer queue.
    insisting = 0.5 if world.under.synchronous else 0.9
    while not enough():
        purchase = Purchase(
            chance.choice(world.products), chance.randint(1, 3), chance.choice(CARDS)
        )
        if chance.random() < insisting:
            buyer.insist(purchase, INSIST_SECONDS)
        else:
            buyer.send(purchase)


class _Enough:
    """Whether there were enough orders and enough faults."""

    def __init__(self, clients: Sequence[Buyer], size: Size, storm: _Storm) -> None:
        self._clients, self._size, self._storm = clients, size, storm

    def __call__(self) -> bool:
        sent = sum(len(client.sent) for client in self._clients)
        if sent > 50 * self._size.fault_orders:  # no faults come: tell, do not hang
            return True
        # Where the price could not be read, a purchase came to no order.
        ordered = sum(len(client.ordered) for client in self._clients)
        faults = self._storm.injected
        return ordered >= self._size.fault_orders and faults >= self._size.faults


class _Storm(threading.Thread):
    """Changes the faults every second, and counts what was injected."""

    def __init__(self, world: World) -> None:
        super().__init__(name="storm", daemon=True)
        self._world = world
        self._chance: random.Random = world.chance("storm")
        self._over = threading.Event()
        self._before: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._failure: Exception | None = None

    @property
    def injected(self) -> int:
        """How many faults hit a call to Stripe or to a service, at least.

        Raises:
            RuntimeError: the storm has ended by itself.
        """
        if self._failure:
            raise RuntimeError("No more faults are set.") from self._failure
        return (self._before + self._now).total()

    @property
    def where(self) -> str:
        """Where how many of the faults hit."""
        faults = self._before + self._now
        stripe = f"Stripe ({faults['stripe']:,})"
        mail = "" if self._world.stage.aws_endpoint_url else ", mail"
        if not faults["between"]:
            return stripe + mail
        return f"{stripe}{mail} and between services ({faults['between']:,})"

    def run(self) -> None:
        try:
            while not self._over.is_set():
                self._shift()
        except Exception as failure:  # for the thread that counts on it
            self._failure = failure

    def stop(self) -> None:
        """End the storm.

        Raises:
            RuntimeError: it had ended by itself.
            TimeoutError: it does not end.
        """
        self._over.set()
        self.join(30)
        if self.is_alive():
            raise TimeoutError("The storm does not end.")
        _ = self.injected

    def _shift(self) -> None:
        mixture = self._chance.choice(MIXTURES)
        self._world.break_stripe(
            **mixture, mix=True, share=SHARE, seed=self._chance.getrandbits(31)
        )
        self._world.break_mail(refuse=True, share=0.1)
        self._world.break_calls(
            kinds=self._chance.choice(BETWEEN),
            share=SHARE_BETWEEN,
            latency=self._chance.choice((0, LATENCY_SECONDS)),
            seed=self._chance.getrandbits(31),
        )
        for _ in range(4):
            self._over.wait(SHIFT_SECONDS / 4)
            between = self._world.under.lines.injected()
            self._now = Counter(stripe=self._world.injected(), between=between)
        self._before, self._now = self._before + self._now, Counter()
