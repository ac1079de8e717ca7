"""Accepting purchases: an order is written down, and a message asks to charge it.

The guest waits for no card processor. What is away, or killed, in the meantime delays
an order and does not lose it: the order's item is the outbox, and the sweep sends again
what has not ended.
"""

import datetime as dt
import logging

from . import order_event, wire
from .catalog import Catalog
from .charge_order import ChargeOrder
from .charge_queue import ChargeQueue
from .consumer import Message
from .errors import Unavailable, Unprocessable
from .guests import Guest
from .logs import order_id as order_at_hand
from .order_store import OrderStore
from .orders import Order, Status, check, fingerprint, order_id, start

log = logging.getLogger(__name__)

# What somebody else has, who must hold it before it is paid and confirm it afterwards.
SUPPLIED = frozenset({"tables", "rooms"})


class Checkout:
    """Takes purchases, and hears what became of them.

    Args:
        catalog: what is sold, at what price.
        orders: where orders are kept.
        queue: where they wait to be charged.
    """

    def __init__(
        self, catalog: Catalog, orders: OrderStore, queue: ChargeQueue
    ) -> None:
        self._catalog = catalog
        self._orders = orders
        self._queue = queue

    def accept(
        self,
        guest: Guest,
        idempotency_key: str,
        purchase: wire.CheckoutRequest,
        now: dt.datetime,
    ) -> Order:
        """Accept a purchase, once for each key of a guest.

        Returns:
            The order: pending, or as it is by now when it was accepted before.

        Raises:
            NotFound: there is no such product.
            Unprocessable: it cannot be delivered so, or the key had another purchase.
            Unavailable: the catalogue or our database is away. Mostly nothing was
                ordered; where it was written and only the answer is lost, it is, and
                the same key brings that order back.
        """
        known = self._orders.find(order_id(guest.guest_id, idempotency_key))
        if known is None:
            check(purchase, now.date())
            product = self._catalog.product(purchase.product_id)
            order = ChargeOrder(
                order=start(guest.guest_id, idempotency_key, purchase, product, now),
                account=guest.account,
                supplied=product.category in SUPPLIED,
            )
            known = self._orders.accept(order)
            if known is None:
                self._send(order)
                return order.order
        if known.fingerprint != fingerprint(purchase):
            raise Unprocessable(
                "This Idempotency-Key was used for another purchase. "
                "Make a new key for a new purchase."
            )
        return known

    def hear(self, message: Message) -> None:
        """Hear how an order ended; heard again it changes nothing.

        Raises:
            Unavailable: our database is away.
        """
        event = order_event.read(message.body)
        order_at_hand.set(event.order_id)
        first = self._orders.end(
            event.order_id, Status(event.status), event.message, event.ended_at
        )
        log.info("order ended", extra={"status": event.status, "first": first})

    def _send(self, order: ChargeOrder) -> None:
        try:
            self._queue.send(order)
        except Unavailable:
            # The order is accepted all the same: it is written down.
            log.warning("not sent yet", extra={"order_id": order.order.order_id})
