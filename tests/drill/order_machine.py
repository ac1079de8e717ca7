"""Hypothesis against an order's life: the real checkout, store and payments of a stage.

They work on real PostgreSQL databases and a real Stripe sandbox process; only the mail
goes into a list. Workers die, lose answers, sleep past their leases and wake up with an
old copy of the order, and cut in on each other in the middle of a charge.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

import requests
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from .fates import CALLS, Death, Fates

GIVE_UP_SECONDS = 600.0
STOCK = 12
CARDS = st.sampled_from(
    ["pm_card_visa", "pm_card_visa", "pm_card_visa_chargeDeclined", "pm_card_nobody"]
)
# What other workers do before a call of the first: one sweeps, one sweeps when the
# order is old, one leases the order and falls asleep with it, one wakes up; or what was
# on its way all the while arrives.
OTHERS = ("sweep", "give up", "nap", "nap until old", "wake", "arrive")
FATES = st.lists(
    st.sampled_from(CALLS) | st.sampled_from(OTHERS), min_size=2, max_size=8
)


# Chance seldom finds these, so each run begins with one of them.
HARD: tuple[list[str], ...] = (
    [],
    # Given up by a copy from before the payment, between storing it and confirming it.
    ["nap until old", "", "wake", ""],
    # Paid by a second intent while the first one's worker was about to store it.
    ["followed", "nap", "wake", "500", "sweep", "", "died", ""],
    # Paid, nobody knows it, and then given up.
    ["", "followed", "give up", "lost"],
    # Refused twice, by two workers at once.
    ["", "sweep", "", "followed", "sweep"],
    # The first call comes when the order has been given up.
    ["late", "give up", "arrive"],
)


class Run(Protocol):
    """A guest and a product that are this run's alone, in a real shop."""

    store: Any
    checkout: Any

    def purchase(self, card: str, quantity: int, date: dt.date) -> Any:
        """What to buy."""

    def buy(self, key: str, purchase: Any, now: dt.datetime) -> Any:
        """Buy it; return the order."""

    def orders(self) -> list[Any]:
        """The guest's orders, newest first."""

    def stock(self, orders: list[Any]) -> tuple[int, int, int]:
        """What is left, and from what to what it may be beside what was confirmed."""

    def tell(self) -> None:
        """Tell other services what they must still be told."""

    def send_mail(self) -> None:
        """Send what is to be sent."""

    def sent(self) -> list[tuple[str, str]]:
        """The mails that arrived: of which order, and of what."""


class Shop(Protocol):
    """What all runs of the machine share.

    Attributes:
        stripe_url: the address of its Stripe sandbox.
    """

    stripe_url: str

    @property
    def put_off(self) -> tuple[type[Exception], ...]:
        """What is raised when something cannot be finished now."""

    def open(self, fates: Fates, stock: int, give_up_seconds: float) -> Run:
        """Let in one guest, for one product of which there are so many."""


def order_machine(shop: Shop) -> type[RuleBasedStateMachine]:
    """Make the machine's class for a shop."""

    class OrderMachine(RuleBasedStateMachine):
        """Buyers and workers in any order; the invariants are the laws."""

        purchases: Bundle[Any] = Bundle("purchases")

        @initialize(hard=st.sampled_from(HARD), card=CARDS)
        def open(self, hard: list[str], card: str) -> None:
            self.ledger = requests.Session()
            self.fates = Fates()
            self.fates.others = {
                "sweep": lambda: self._sweep(old=False),
                "give up": lambda: self._sweep(old=True),
                "nap": lambda: self._nap(old=False),
                "nap until old": lambda: self._nap(old=True),
                "wake": self._wake,
                "arrive": self.fates.arrive,
            }
            self.asleep: list[tuple[Any, bool]] = []
            self.seen: dict[str, str] = {}
            self.here = shop.open(self.fates, STOCK, GIVE_UP_SECONDS)
            self.buy(card, 1, hard)

        @rule(target=purchases, card=CARDS, quantity=st.integers(1, 3), fates=FATES)
        def buy(self, card: str, quantity: int, fates: list[str]) -> Any:
            tomorrow = _now().date() + dt.timedelta(days=1)
            purchase = self.here.purchase(card, quantity, tomorrow)
            key = uuid.uuid4().hex
            self._work(fates, lambda: self._buy(key, purchase))
            return key, purchase

        @rule(purchase=purchases, fates=FATES)
        def buy_again(self, purchase: Any, fates: list[str]) -> None:
            self._work(fates, lambda: self._buy(*purchase))

        @rule(worker=st.sampled_from(OTHERS), fates=FATES)
        def go_on(self, worker: str, fates: list[str]) -> None:
            self._work(fates, self.fates.others[worker])
            self.here.send_mail()

        @invariant()
        def laws_hold(self) -> None:
            shown = self.here.orders()
            for order in shown:
                self._only_legal_moves(order)
                self._charged_rightly(order)
            left, least, most = self.here.stock(shown)
            taken = STOCK - left
            sold = sum(o.quantity for o in shown if o.status == "confirmed")
            assert left >= 0, f"{left} left"
            assert sold + least <= taken <= sold + most, f"{taken} taken, {sold} sold"

        def _only_legal_moves(self, order: Any) -> None:
            before = self.seen.get(order.order_id, "pending")
            legal = before in ("pending", order.status)
            assert legal, f"{order.order_id} went from {before} to {order.status}"
            self.seen[order.order_id] = order.status

        def _charged_rightly(self, order: Any) -> None:
            paid = self._charges(order.order_id)
            expected = {"confirmed": (1,), "pending": (0, 1)}.get(order.status, (0,))
            assert paid in expected, f"{order} was charged {paid} times"

        def teardown(self) -> None:
            """With no more faults, everything ends, and every guest is told once."""
            if not hasattr(self, "here"):
                return
            for order in self.here.orders():
                self._finish(order.order_id)
            self.here.tell()
            self.fates.arrive()
            self.here.send_mail()
            self.laws_hold()
            shown = self.here.orders()
            sold = sum(o.quantity for o in shown if o.status == "confirmed")
            left, *_ = self.here.stock(shown)
            assert left == STOCK - sold, f"{left} left, {sold} sold"
            ends = {o.order_id: f"order-{o.status}" for o in shown}
            assert "order-pending" not in ends.values()
            assert sorted(self.here.sent()) == sorted(ends.items())

        def _work(self, fates: list[str], work: Callable[[], None]) -> None:
            """Let a worker work under these fates; nobody outlives its own death."""
            self.fates.next = list(fates)
            self._survive(work)
            self.fates.next = []

        def _survive(self, work: Callable[[], None]) -> None:
            with suppress(Death, *shop.put_off):
                work()

        def _buy(self, key: str, purchase: Any) -> None:
            order = self.here.buy(key, purchase, _now())
            kept = self.here.store.find(order.order_id)
            assert order == kept, "told what is not so"

        def _take_up(self, order: Any, old: bool) -> None:
            late = dt.timedelta(seconds=2 * GIVE_UP_SECONDS if old else 0)
            self.here.checkout.give_up_or_finish(order, _now() + late)

        def _finish(self, of_order: str) -> None:
            """Let a sweep take an order up, and again when it has become too old.

            That is needed when a worker died between cancelling the payment and ending
            the order: such an order cannot be paid any more.
            """
            order = self.here.store.lease(of_order)
            if order:
                try:
                    self._take_up(order, old=False)
                except shop.put_off:
                    self._take_up(order, old=True)

        def _sweep(self, old: bool) -> None:
            if order := self._leased():
                self._survive(lambda: self._take_up(order, old))
            self._survive(self.here.tell)

        def _nap(self, old: bool) -> None:
            if order := self._leased():
                self.asleep.append((order, old))

        def _wake(self) -> None:
            if self.asleep:
                order, old = self.asleep.pop()
                self._survive(lambda: self._take_up(order, old))

        def _leased(self) -> Any:
            """Take up the newest order that has not ended."""
            pending = (o for o in self.here.orders() if o.status == "pending")
            newest = next(pending, None)
            return self.here.store.lease(newest.order_id) if newest else None

        def _charges(self, of_order: str) -> int:
            answer = self.ledger.get(
                f"{shop.stripe_url}/_sandbox/ledger",
                params={"order_id": of_order, "view": "orders"},
                timeout=10,
            ).json()
            found = answer["orders"].get(of_order, {"succeeded_charges": 0})
            return int(found["succeeded_charges"])

    return OrderMachine


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)
