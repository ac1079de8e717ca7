"""The real checkout of stage 1, for the order's state machine."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from concierge import catalog, database, products, wire
from concierge.checkout import Checkout
from concierge.errors import Unavailable
from concierge.notifications import Notifications
from concierge.order_store import OrderStore
from concierge.payments import Payments, PaymentsUnavailable, stripe_client

from .fates import Fates, FickleStripe, Outbox

# The product warns of every lost answer, and losing answers is what this is for.
logging.getLogger("concierge").addHandler(logging.NullHandler())


class MonolithShop:
    """Where all runs of the machine shop.

    Args:
        database_url: the address of an empty database, as libpq writes it.
        stripe_url: the address of a Stripe sandbox.
    """

    put_off = (Unavailable, PaymentsUnavailable)

    def __init__(self, database_url: str, stripe_url: str) -> None:
        url = database_url.replace("postgresql:", "postgresql+psycopg:")
        database.migrate(url)
        self.stripe_url = stripe_url
        self.database = database.Database(url, connections=2)

    def open(self, fates: Fates, stock: int, give_up_seconds: float) -> MonolithRun:
        """Let in one guest, for one product."""
        return MonolithRun(self, fates, stock, give_up_seconds)


class MonolithRun:
    """One run of the machine."""

    def __init__(
        self, shop: MonolithShop, fates: Fates, stock: int, give_up_seconds: float
    ) -> None:
        self._database = shop.database
        self._guest_id = f"guest_{uuid.uuid4().hex}"
        self._product_id = f"machine-{uuid.uuid4().hex}"
        self._move_in(stock)
        self._mail = Outbox()
        # Every lease ends at once: any worker may take any order up at any time.
        self.store = OrderStore(shop.database, 0.0001)
        self._notifications = Notifications(shop.database, self._mail)  # type: ignore[arg-type]
        stripe = stripe_client("sk_test_sandbox", shop.stripe_url, 10)
        fickle = FickleStripe(stripe.v1.payment_intents, fates)
        self.checkout = Checkout(
            catalog.Catalog(shop.database),
            self.store,
            Payments(fickle, self.store),  # type: ignore[arg-type]
            self._notifications,
            give_up_seconds,
        )

    def purchase(self, card: str, quantity: int, date: dt.date) -> Any:
        """What to buy."""
        return wire.CheckoutRequest(
            product_id=self._product_id,
            delivery_address="5 Main Street",
            delivery_date=date,
            quantity=quantity,
            payment_method=card,
        )

    def buy(self, key: str, purchase: Any, now: dt.datetime) -> Any:
        """Buy it."""
        return self.checkout.buy(self._guest_id, key, purchase, now)

    def orders(self) -> list[Any]:
        """The guest's orders, newest first."""
        query = wire.OrderQuery(limit=100)
        return list(self.store.page(self._guest_id, query).orders)

    def stock(self, orders: list[Any]) -> tuple[int, int, int]:
        """What is left, and from what to what it may be beside what was confirmed."""
        left = catalog.Catalog(self._database).product(self._product_id).stock
        pending = sum(o.quantity for o in orders if o.status == "pending")
        return left, pending, pending

    def tell(self) -> None:
        """There is nobody else to be told."""

    def send_mail(self) -> None:
        """Send what is to be sent."""
        for order in self.orders():
            self._notifications.send(order.order_id)

    def sent(self) -> list[tuple[str, str]]:
        """The mails that arrived: of which order, and of what."""
        return self._mail.sent

    def _move_in(self, stock: int) -> None:
        some = products.load_products()[0]
        ours = replace(some, product_id=self._product_id, stock=stock)
        with self._database.transaction() as tx:
            catalog.stock_shelves(tx, [ours])
            tx.execute(
                sa.insert(database.accounts).values(
                    guest_id=self._guest_id,
                    email=f"{self._guest_id}@example.com",
                    password_hash="",
                    created_at=database.now(),
                )
            )
