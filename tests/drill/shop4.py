"""The real checkout, payments, stock and notices of stage 4, for the state machine.

The queue and the topic are lists of this module: what is in them is delivered at least
once, and what tells of an end always twice.
"""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

from .fates import Fates, FickleStripe
from .packages import Packages
from .shop3 import Goods, Run

SERVICES = ("checkout", "payments", "notifications")


class AsyncShop:
    """Where all runs of the machine shop at stage 4.

    Args:
        packages: the services.
        stripe_url: the address of a Stripe sandbox.
    """

    def __init__(self, packages: Packages, stripe_url: str) -> None:
        self.packages = packages
        self.stripe_url = stripe_url
        self.away = {
            name: packages.module(name, "errors").Unavailable for name in SERVICES
        }
        payments = packages.module("payments", "payments")
        self.put_off = (*self.away.values(), payments.PaymentsUnavailable)
        self.shelves = packages.table("catalog", "pk")
        self.orders = packages.table("checkout", "order_id")
        self.payments = packages.table("payments", "order_id")
        self.notices = packages.table("notifications", "notice")

    def open(self, fates: Fates, stock: int, give_up_seconds: float) -> AsyncRun:
        """Let in one guest, for one product."""
        return AsyncRun(self, fates, stock, give_up_seconds)


class Channels:
    """The queue of orders, and the topic of how they ended; each may lose its answer.

    Args:
        shop: where they are.
        fates: that what is sent meets.
    """

    def __init__(self, shop: AsyncShop, fates: Fates) -> None:
        self._away = shop.away
        self._fates = fates
        self._event_of = shop.packages.module("payments", "topic").event_of
        self.asked: list[Any] = []
        self.events: list[Any] = []

    def send(self, order: Any) -> None:
        """Have an order charged."""
        away = self._away["checkout"]("there was no answer")
        self._fates.meet(lambda: self.asked.append(order), away, away)

    def tell(self, payment: Any) -> None:
        """Tell how an order ended."""
        away = self._away["payments"]("there was no answer")
        event = self._event_of(payment)
        self._fates.meet(lambda: self.events.extend([event, event]), away, away)


class Store:
    """The orders of checkout, and which of them somebody can take up again.

    Args:
        run: whose orders they are.
        orders: the store of the product.
        table: its table.
    """

    def __init__(self, run: AsyncRun, orders: Any, table: Any) -> None:
        self._run = run
        self._orders = orders
        self._table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._orders, name)

    def lease(self, order_id: str) -> Any:
        """Have a message of a pending order delivered once more."""
        item = self._table.read(order_id)
        return self._run.message(item) if item and "open" in item else None


class AsyncRun(Run):
    """One run of the machine at stage 4."""

    def __init__(
        self, shop: AsyncShop, fates: Fates, stock: int, give_up_seconds: float
    ) -> None:
        packages = shop.packages
        super().__init__(packages, shop.shelves, stock)
        self._channels = channels = Channels(shop, fates)
        self._written = packages.module("checkout", "charge_order")
        self._read = packages.module("payments", "charge_order").read
        self._events = packages.module("payments", "order_event")
        orders = packages.module("checkout", "order_store")
        self._order = orders._order
        kept = orders.OrderStore(shop.orders, 0.0001)
        self.store = Store(self, kept, shop.orders)
        away = {name: kind("there was no answer") for name, kind in shop.away.items()}
        self._accepting = packages.module("checkout", "checkout").Checkout(
            Goods(packages, shop.shelves, fates, away["checkout"]), kept, channels
        )
        payments = packages.module("payments", "payments")
        stripe = payments.stripe_client("sk_test_sandbox", shop.stripe_url, 10)
        fickle = FickleStripe(stripe.v1.payment_intents, fates)
        paid = packages.module("payments", "payment_store").PaymentStore(shop.payments)
        self._charging = packages.module("payments", "charging").Charging(
            Goods(packages, shop.shelves, fates, away["payments"]),
            packages.module("payments", "supplier").Supplier(None),
            paid,
            payments.Payments(fickle, paid),
            packages.module("payments", "refunds").Refunds(stripe),
            channels,
            None,
            packages.module("payments", "breaker").Breaker(),
            give_up_seconds,
        )
        self._notifications = self._notifying(shop)
        self.checkout = self

    def buy(self, key: str, purchase: Any, now: dt.datetime) -> Any:
        """Buy it, and let a worker take the message up at once."""
        order = self._accepting.accept(self._guest, key, purchase, now)
        self._work(now)
        return self.store.find(order.order_id)

    def message(self, item: dict[str, Any]) -> Any:
        """Return the message of an order, as the sweep sends it again."""
        asked = self._written.ChargeOrder(order=self._order(item))
        self._channels.asked.append(asked)
        return asked

    def give_up_or_finish(self, asked: Any, now: dt.datetime) -> None:
        """Let a worker take a message up; it is there until that is done."""
        self._charging.settle(self._read(self._written.write(asked)), now)
        if asked in self._channels.asked:
            self._channels.asked.remove(asked)

    def tell(self) -> None:
        """Let workers take up what is in the queues."""
        self._work(dt.datetime.now(dt.timezone.utc))
        while self._channels.events:
            said = SimpleNamespace(body=self._events.write(self._channels.events[0]))
            self._accepting.hear(said)
            self._notifications.tell(said)
            self._channels.events.pop(0)

    def send_mail(self) -> None:
        """It is sent by whoever is told."""

    def _work(self, now: dt.datetime) -> None:
        for asked in [*self._channels.asked]:
            self.give_up_or_finish(asked, now)

    def _notifying(self, shop: AsyncShop) -> Any:
        notices = shop.packages.module("notifications", "notices")
        words = shop.packages.module("notifications", "notifications")
        telling = words.Notifications(notices.Notices(shop.notices, 60.0), "", "")
        telling.mail = lambda event, address: self._mail.sent.append(
            (event.order_id, event.event)
        )
        return telling
