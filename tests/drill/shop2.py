"""The real checkout, stock and letters of stage 2, for the order's state machine.

Each keeps its own database. What one says to the other goes by functions of this module
instead of HTTP, so that each call between them can meet its fate.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from catalog import catalog as goods
from catalog import database as stock_room
from catalog import internal as stock_words
from catalog import products, reservations
from checkout import database, wire
from checkout.checkout import Checkout
from checkout.errors import Unavailable
from checkout.guests import Guest
from checkout.order_store import Ended, OrderStore
from checkout.orders import Order
from checkout.payments import Payments, PaymentsUnavailable, stripe_client
from notifications import database as post_office
from notifications import internal as letter_words
from notifications.notifications import Notifications

from .fates import Fates, FickleStripe, Outbox

T = TypeVar("T")

# The product warns of every lost answer, and losing answers is what this is for.
for name in ("catalog", "checkout", "notifications"):
    logging.getLogger(name).addHandler(logging.NullHandler())


class SplitShop:
    """Where all runs of the machine shop.

    Args:
        urls: the address of each service's empty database, as libpq writes it.
        stripe_url: the address of a Stripe sandbox.
    """

    put_off = (Unavailable, PaymentsUnavailable)

    def __init__(self, urls: dict[str, str], stripe_url: str) -> None:
        self.stripe_url = stripe_url
        drivers = {
            name: url.replace("postgresql:", "postgresql+psycopg:")
            for name, url in urls.items()
        }
        stock_room.migrate(drivers["catalog"])
        database.migrate(drivers["checkout"])
        post_office.migrate(drivers["notifications"])
        self.stock_room = stock_room.Database(drivers["catalog"], connections=2)
        self.database = database.Database(drivers["checkout"], connections=2)
        self.post_office = post_office.Database(drivers["notifications"], connections=2)

    def open(self, fates: Fates, stock: int, give_up_seconds: float) -> SplitRun:
        """Let in one guest, for one product."""
        return SplitRun(self, fates, stock, give_up_seconds)


class FickleServices:
    """The catalogue and notifications as checkout sees them, over bad lines."""

    def __init__(self, shop: SplitShop, fates: Fates, outbox: Outbox) -> None:
        self._fates = fates
        self.goods = goods.Catalog(shop.stock_room)
        self._reservations = reservations.Reservations(shop.stock_room)
        self.letters = Notifications(shop.post_office, outbox)  # type: ignore[arg-type]

    def product(self, product_id: str) -> Any:
        """Read one product."""
        return self.goods.product(product_id)

    def hold(self, order: Order) -> bool:
        """Set stock aside for an order."""
        wanted = stock_words.ReservationRequest(
            product_id=order.product_id, quantity=order.quantity
        )
        held = self._meet(lambda: self._reservations.hold(order.order_id, wanted))
        return held.state == "held"

    def release(self, order_id: str) -> None:
        """Give back what is held for an order."""
        self._meet(lambda: self._reservations.release(order_id))

    def send(self, ended: Ended) -> None:
        """Have the guest told."""
        order = ended.order
        words = letter_words.NotificationRequest.__struct_fields__
        said = letter_words.NotificationRequest(
            email=ended.guest_email,
            **{word: getattr(order, word) for word in words if word != "email"},
        )
        event = f"order-{order.status.value}"
        self._meet(lambda: self.letters.announce(order.order_id, event, said))

    def _meet(self, call: Callable[[], T]) -> T:
        away = Unavailable("there was no answer")
        return self._fates.meet(call, away, away)


class SplitRun:
    """One run of the machine."""

    def __init__(
        self, shop: SplitShop, fates: Fates, stock: int, give_up_seconds: float
    ) -> None:
        guest_id = f"guest_{uuid.uuid4().hex}"
        self._guest = Guest(guest_id, f"{guest_id}@example.com", "")
        self._product_id = f"machine-{uuid.uuid4().hex}"
        some = replace(products.load_products()[0], product_id=self._product_id)
        with shop.stock_room.transaction() as tx:
            goods.stock_shelves(tx, [replace(some, stock=stock)])
        self._mail = Outbox()
        self._others = FickleServices(shop, fates, self._mail)
        # Every lease ends at once: any worker may take any order up at any time.
        self.store = OrderStore(shop.database, 0.0001)
        stripe = stripe_client("sk_test_sandbox", shop.stripe_url, 10)
        fickle = FickleStripe(stripe.v1.payment_intents, fates)
        self.checkout = Checkout(
            self._others,  # type: ignore[arg-type]
            self.store,
            Payments(fickle, self.store),  # type: ignore[arg-type]
            self._others,  # type: ignore[arg-type]
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
        return self.checkout.buy(self._guest, key, purchase, now)

    def orders(self) -> list[Any]:
        """The guest's orders, newest first."""
        query = wire.OrderQuery(limit=100)
        return list(self.store.page(self._guest.guest_id, query).orders)

    def stock(self, orders: list[Any]) -> tuple[int, int, int]:
        """What is left, and from what to what it may be beside what was confirmed.

        Stock may not be held yet, or not be given back yet.
        """
        left = self._others.goods.product(self._product_id).stock
        others = sum(o.quantity for o in orders if o.status != "confirmed")
        return left, 0, others

    def tell(self) -> None:
        """Tell the other services what they must still be told."""
        now = dt.datetime.now(dt.timezone.utc)
        while ended := self.store.lease_loose_end(now):
            self.checkout.tell_others(ended)

    def send_mail(self) -> None:
        """Send what is to be sent."""
        while self._others.letters.send_next():
            pass

    def sent(self) -> list[tuple[str, str]]:
        """The mails that arrived: of which order, and of what."""
        # Runs share a database: one that was broken off leaves letters to others.
        ours = {order.order_id for order in self.orders()}
        return [mail for mail in self._mail.sent if mail[0] in ours]
