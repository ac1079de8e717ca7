"""Hypothesis against an order's life: the real checkout, store and payments of stage 1.

They work on a real PostgreSQL database and a real Stripe sandbox process; only the mail
goes into a list. Workers die, lose answers, sleep past their leases and wake up with an
old copy of the order, and cut in on each other in the middle of a charge.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from email.message import EmailMessage
from typing import Any

import requests
import sqlalchemy as sa
import stripe
from concierge import catalog, database, products, wire
from concierge.checkout import Checkout
from concierge.errors import Unavailable
from concierge.notifications import Notifications
from concierge.order_store import OrderStore
from concierge.orders import Order
from concierge.payments import Payments, PaymentsUnavailable, stripe_client
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

# The product warns of every lost answer, and losing answers is what this is for.
logging.getLogger("concierge").addHandler(logging.NullHandler())

GIVE_UP_SECONDS = 600.0
STOCK = 12
TAKES_STOCK = ("pending", "confirmed")
CARDS = st.sampled_from(
    ["pm_card_visa", "pm_card_visa", "pm_card_visa_chargeDeclined", "pm_card_nobody"]
)
# What happens to a call to Stripe: nothing, others work before its answer is used, its
# answer is lost, it is never sent, Stripe has an error, or the worker dies before or
# after it.
CALLS = (*[""] * 5, "followed", "followed", "lost", "unsent", "500", "die", "died")
# What other workers do before a call of the first: one sweeps, one sweeps when the
# order is old, one leases the order and falls asleep with it, one wakes up.
OTHERS = ("sweep", "give up", "nap", "nap until old", "wake")
FATES = st.lists(
    st.sampled_from(CALLS) | st.sampled_from(OTHERS), min_size=2, max_size=8
)


# Chance seldom finds these, so each run begins with one of them.
HARD = (
    [],
    # Given up by a copy from before the payment, between storing it and confirming it.
    ["nap until old", "", "wake", ""],
    # Paid by a second intent while the first one's worker was about to store it.
    ["followed", "nap", "wake", "500", "sweep", "", "died", ""],
    # Paid, nobody knows it, and then given up.
    ["", "followed", "give up", "lost"],
    # Refused twice, by two workers at once.
    ["", "sweep", "", "followed", "sweep"],
)


class Death(BaseException):
    """The worker is no more: nothing in the product may catch this."""


@dataclass
class Surroundings:
    """What all runs of the machine share.

    Attributes:
        database: an empty database of this machine alone, migrated.
        stripe_url: the address of a Stripe sandbox.
    """

    database: database.Database
    stripe_url: str


def surroundings(database_url: str, stripe_url: str) -> Surroundings:
    """Make the database ready.

    Args:
        database_url: the address of an empty database, as libpq writes it.
        stripe_url: the address of a Stripe sandbox.
    """
    url = database_url.replace("postgresql:", "postgresql+psycopg:")
    database.migrate(url)
    return Surroundings(database.Database(url, connections=2), stripe_url)


class FickleStripe:
    """Stripe's client, whose calls meet the fates that are laid out for them."""

    def __init__(self, url: str) -> None:
        self._real = stripe_client("sk_test_sandbox", url, 10).v1.payment_intents
        self.v1 = self
        self.payment_intents = self
        self.fates: list[str] = []
        self.others: dict[str, Callable[[], None]] = {}

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.let_others_work()
            fate = self.fates.pop(0) if self.fates else ""
            if fate == "die":
                raise Death
            if fate == "unsent":
                raise stripe.APIConnectionError("the connection was refused")
            if fate == "500":
                raise stripe.APIError("an error of theirs", http_status=500)
            try:
                return getattr(self._real, operation)(*arguments)
            finally:
                self._lose(fate)

        return call

    def let_others_work(self) -> None:
        """Let other workers in; their own calls meet the fates that follow."""
        while self.fates and self.fates[0] in self.others:
            self.others[self.fates.pop(0)]()

    def _lose(self, fate: str) -> None:
        if fate == "died":
            raise Death
        if fate == "followed":
            self.let_others_work()
        if fate == "lost":
            raise stripe.APIConnectionError("the answer was lost")


class Outbox:
    """A mail server that takes everything."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, message: EmailMessage) -> None:
        self.sent.append((message["X-Order-Id"], message["X-Event"]))


def order_machine(around: Surroundings) -> type[RuleBasedStateMachine]:
    """Make the machine's class for some surroundings."""

    class OrderMachine(RuleBasedStateMachine):
        """Buyers and workers in any order; the invariants are the laws."""

        purchases: Bundle[Any] = Bundle("purchases")

        @initialize(hard=st.sampled_from(HARD), card=CARDS)
        def open(self, hard: list[str], card: str) -> None:
            self.guest_id = f"guest_{uuid.uuid4().hex}"
            self.product_id = f"machine-{uuid.uuid4().hex}"
            _move_in(around.database, self.guest_id, self.product_id)
            self.ledger = requests.Session()
            self.stripe = FickleStripe(around.stripe_url)
            self.stripe.others = {
                "sweep": lambda: self._sweep(old=False),
                "give up": lambda: self._sweep(old=True),
                "nap": lambda: self._nap(old=False),
                "nap until old": lambda: self._nap(old=True),
                "wake": self._wake,
            }
            self.mail = Outbox()
            self.asleep: list[tuple[Order, bool]] = []
            self.seen: dict[str, str] = {}
            # Every lease ends at once: any worker may take any order up at any time.
            self.store = OrderStore(around.database, 0.0001)
            self.notifications = Notifications(around.database, self.mail)  # type: ignore[arg-type]
            self.checkout = Checkout(
                catalog.Catalog(around.database),
                self.store,
                Payments(self.stripe, self.store),  # type: ignore[arg-type]
                self.notifications,
                GIVE_UP_SECONDS,
            )

            self.buy(card, 1, hard)

        @rule(target=purchases, card=CARDS, quantity=st.integers(1, 3), fates=FATES)
        def buy(self, card: str, quantity: int, fates: list[str]) -> Any:
            purchase = wire.CheckoutRequest(
                product_id=self.product_id,
                delivery_address="5 Main Street",
                delivery_date=_now().date() + dt.timedelta(days=1),
                quantity=quantity,
                payment_method=card,
            )
            key = uuid.uuid4().hex
            self._work(fates, lambda: self._buy(key, purchase))
            return key, purchase

        @rule(purchase=purchases, fates=FATES)
        def buy_again(self, purchase: Any, fates: list[str]) -> None:
            self._work(fates, lambda: self._buy(*purchase))

        @rule(worker=st.sampled_from(OTHERS), fates=FATES)
        def go_on(self, worker: str, fates: list[str]) -> None:
            self._work(fates, self.stripe.others[worker])
            self._send_mail()

        @invariant()
        def laws_hold(self) -> None:
            shown = self._orders()
            for order in shown:
                self._only_legal_moves(order)
                self._charged_rightly(order)
            taken = sum(o.quantity for o in shown if o.status in TAKES_STOCK)
            left = catalog.Catalog(around.database).product(self.product_id).stock
            assert 0 <= left == STOCK - taken, f"{left} left, {taken} taken"

        def _only_legal_moves(self, order: wire.Order) -> None:
            before = self.seen.get(order.order_id, "pending")
            legal = before in ("pending", order.status)
            assert legal, f"{order.order_id} went from {before} to {order.status}"
            self.seen[order.order_id] = order.status

        def _charged_rightly(self, order: wire.Order) -> None:
            paid = self._charges(order.order_id)
            expected = {"confirmed": (1,), "pending": (0, 1)}.get(order.status, (0,))
            assert paid in expected, f"{order} was charged {paid} times"

        def teardown(self) -> None:
            """With no more faults, everything ends, and every guest is told once."""
            if not hasattr(self, "store"):
                return
            for order in self._orders():
                self._finish(order.order_id)
            self._send_mail()
            self.laws_hold()
            ends = {o.order_id: f"order-{o.status}" for o in self._orders()}
            assert "order-pending" not in ends.values()
            assert sorted(self.mail.sent) == sorted(ends.items())

        def _work(self, fates: list[str], work: Callable[[], None]) -> None:
            """Let a worker work under these fates; nobody outlives its own death."""
            self.stripe.fates = list(fates)
            self._survive(work)
            self.stripe.fates = []

        def _survive(self, work: Callable[[], None]) -> None:
            with suppress(Death, Unavailable, PaymentsUnavailable):
                work()

        def _buy(self, key: str, purchase: wire.CheckoutRequest) -> None:
            order = self.checkout.buy(self.guest_id, key, purchase, _now())
            assert order == self.store.find(order.order_id), "told what is not so"

        def _take_up(self, order: Order, old: bool) -> None:
            late = dt.timedelta(seconds=2 * GIVE_UP_SECONDS if old else 0)
            self.checkout.give_up_or_finish(order, _now() + late)

        def _finish(self, of_order: str) -> None:
            """Let a sweep take an order up, and again when it has become too old.

            That is needed when a worker died between cancelling the payment and ending
            the order: such an order cannot be paid any more.
            """
            order = self.store.lease(of_order)
            if order:
                try:
                    self._take_up(order, old=False)
                except PaymentsUnavailable:
                    self._take_up(order, old=True)

        def _sweep(self, old: bool) -> None:
            if order := self._leased():
                self._survive(lambda: self._take_up(order, old))

        def _nap(self, old: bool) -> None:
            if order := self._leased():
                self.asleep.append((order, old))

        def _wake(self) -> None:
            if self.asleep:
                order, old = self.asleep.pop()
                self._survive(lambda: self._take_up(order, old))

        def _leased(self) -> Order | None:
            """Take up the newest order that has not ended."""
            pending = (o for o in self._orders() if o.status == "pending")
            newest = next(pending, None)
            return self.store.lease(newest.order_id) if newest else None

        def _send_mail(self) -> None:
            for order in self._orders():
                self.notifications.send(order.order_id)

        def _orders(self) -> list[wire.Order]:
            return self.store.page(self.guest_id, wire.OrderQuery(limit=100)).orders

        def _charges(self, of_order: str) -> int:
            answer = self.ledger.get(
                f"{around.stripe_url}/_sandbox/ledger",
                params={"order_id": of_order, "view": "orders"},
                timeout=10,
            ).json()
            found = answer["orders"].get(of_order, {"succeeded_charges": 0})
            return int(found["succeeded_charges"])

    return OrderMachine


def _move_in(place: database.Database, guest_id: str, product_id: str) -> None:
    """Write a guest and a product that are this run's alone."""
    some = products.load_products()[0]
    ours = replace(some, product_id=product_id, stock=STOCK)
    with place.transaction() as tx:
        catalog.stock_shelves(tx, [ours])
        tx.execute(
            sa.insert(database.accounts).values(
                guest_id=guest_id,
                email=f"{guest_id}@example.com",
                password_hash="",
                created_at=_now(),
            )
        )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)
