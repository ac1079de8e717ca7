"""The real checkout and stock of stage 3, for the order's state machine.

Each keeps its own table. What one says to the other goes by functions of this module
instead of HTTP, so that each call between them can meet its fate.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, TypeVar

from .fates import Fates, FickleStripe, Outbox
from .packages import Packages

T = TypeVar("T")


class Goods:
    """The catalogue, as the other services of a run see it over bad lines.

    Args:
        packages: the services.
        table: the catalogue's.
        fates: that the calls meet.
        away: what a caller is told when there is no answer.
    """

    def __init__(
        self, packages: Packages, table: Any, fates: Fates, away: Exception
    ) -> None:
        self._fates = fates
        self._away = away
        self._wanted = packages.module("catalog", "internal").ReservationRequest
        reservations = packages.module("catalog", "reservations")
        self._reservations = reservations.Reservations(table)
        self.goods = packages.module("catalog", "catalog").Catalog(table)

    def product(self, product_id: str) -> Any:
        """Read one product."""
        return self.goods.product(product_id)

    def hold(self, order: Any) -> bool:
        """Set stock aside for an order."""
        wanted = self._wanted(product_id=order.product_id, quantity=order.quantity)
        held = self._meet(lambda: self._reservations.hold(order.order_id, wanted))
        return bool(held.state == "held")

    def release(self, order_id: str) -> None:
        """Give back what is held for an order."""
        self._meet(lambda: self._reservations.release(order_id))

    def _meet(self, call: Callable[[], T]) -> T:
        return self._fates.meet(call, self._away, self._away)


class Run:
    """One run of the machine: a guest, and a product that is this run's alone.

    Args:
        packages: the services.
        shelves: the catalogue's table.
        stock: how many of the product there are.
    """

    store: Any

    def __init__(self, packages: Packages, shelves: Any, stock: int) -> None:
        self._wire = packages.module("checkout", "wire")
        guests = packages.module("checkout", "guests")
        self._guest = guests.Guest(f"guest_{uuid.uuid4().hex}", None)
        self._product_id = f"machine-{uuid.uuid4().hex}"
        self._goods = packages.module("catalog", "catalog").Catalog(shelves)
        some = packages.module("catalog", "products").load_products()[0]
        ours = replace(some, product_id=self._product_id, stock=stock)
        self._goods.stock_shelves([ours])
        self._mail = Outbox()

    def purchase(self, card: str, quantity: int, date: dt.date) -> Any:
        """What to buy."""
        return self._wire.CheckoutRequest(
            product_id=self._product_id,
            delivery_address="5 Main Street",
            delivery_date=date,
            quantity=quantity,
            payment_method=card,
        )

    def orders(self) -> list[Any]:
        """The guest's orders, newest first."""
        query = self._wire.OrderQuery(limit=100)
        return list(self.store.page(self._guest.guest_id, query).orders)

    def stock(self, orders: list[Any]) -> tuple[int, int, int]:
        """What is left, and from what to what it may be beside what was confirmed.

        Stock may not be held yet, or not be given back yet.
        """
        left = self._goods.product(self._product_id).stock
        return left, 0, sum(o.quantity for o in orders if o.status != "confirmed")

    def sent(self) -> list[tuple[str, str]]:
        """The mails that arrived: of which order, and of what."""
        # Runs share tables: one that was broken off leaves letters to others.
        ours = {order.order_id for order in self.orders()}
        return [mail for mail in self._mail.sent if mail[0] in ours]


class ServerlessShop:
    """Where all runs of the machine shop at stage 3.

    Args:
        packages: the services.
        stripe_url: the address of a Stripe sandbox.
    """

    def __init__(self, packages: Packages, stripe_url: str) -> None:
        self.packages = packages
        self.stripe_url = stripe_url
        self.away = packages.module("checkout", "errors").Unavailable
        payments = packages.module("checkout", "payments")
        self.put_off = (self.away, payments.PaymentsUnavailable)
        self.shelves = packages.table("catalog", "pk")
        self.orders = packages.table("checkout", "order_id")

    def open(self, fates: Fates, stock: int, give_up_seconds: float) -> ServerlessRun:
        """Let in one guest, for one product."""
        return ServerlessRun(self, fates, stock, give_up_seconds)


class ServerlessRun(Run):
    """One run of the machine at stage 3."""

    def __init__(
        self, shop: ServerlessShop, fates: Fates, stock: int, give_up_seconds: float
    ) -> None:
        packages = shop.packages
        super().__init__(packages, shop.shelves, stock)
        # Every lease ends at once: any worker may take any order up at any time.
        store = packages.module("checkout", "order_store")
        self.store = store.OrderStore(shop.orders, 0.0001)
        payments = packages.module("checkout", "payments")
        stripe = payments.stripe_client("sk_test_sandbox", shop.stripe_url, 10)
        fickle = FickleStripe(stripe.v1.payment_intents, fates)
        # Who waits for nobody takes it up again at once.
        away = shop.away("there was no answer", retry_after=0)
        self.checkout = packages.module("checkout", "checkout").Checkout(
            Goods(packages, shop.shelves, fates, away),
            self.store,
            payments.Payments(fickle, self.store),
            SimpleNamespace(of=self._notice),
            give_up_seconds,
        )

    def buy(self, key: str, purchase: Any, now: dt.datetime) -> Any:
        """Buy it."""
        return self.checkout.buy(self._guest, key, purchase, now)

    def tell(self) -> None:
        """Do what is still to do for orders that have ended."""
        now = dt.datetime.now(dt.timezone.utc)
        while ended := self.store.lease_loose_end(now):
            self.checkout.tell_others(ended)

    def send_mail(self) -> None:
        """It is sent by whoever tells."""

    def sent(self) -> list[tuple[str, str]]:
        """The mails that arrived, each once.

        A lease keeps the others from sending it again, and here every lease ends at
        once; that one letter is sent, the scenario of the kills looks at.
        """
        return sorted(set(super().sent()))

    def _notice(self, ended: Any) -> SimpleNamespace:
        order = ended.order
        told = (order.order_id, f"order-{order.status.value}")
        return SimpleNamespace(
            mail=lambda: self._mail.sent.append(told), text=lambda: None
        )
