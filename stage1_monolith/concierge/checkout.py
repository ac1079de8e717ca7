"""Buying: one function call that accepts, charges, confirms and notifies.

This is the lecture's synchronous checkout. The guest waits for all of it.
"""

import datetime as dt
import logging

from . import wire
from .catalog import Catalog
from .errors import Unavailable, Unprocessable
from .notifications import Notifications
from .order_store import OrderStore
from .orders import (
    CONFIRMED,
    GIVEN_UP,
    Order,
    Status,
    check,
    fingerprint,
    order_id,
    start,
)
from .payments import Declined, Payments, PaymentsUnavailable

log = logging.getLogger(__name__)


class Checkout:
    """Takes purchases to their end.

    Args:
        catalog: what is sold, at what price.
        orders: where orders are kept.
        payments: who charges the card.
        notifications: who tells the guest.
        give_up_seconds: the age at which an order that cannot be finished is ended.
    """

    def __init__(
        self,
        catalog: Catalog,
        orders: OrderStore,
        payments: Payments,
        notifications: Notifications,
        give_up_seconds: float,
    ) -> None:
        self._catalog = catalog
        self._orders = orders
        self._payments = payments
        self._notifications = notifications
        self._give_up_after = dt.timedelta(seconds=give_up_seconds)

    def buy(
        self,
        guest_id: str,
        idempotency_key: str,
        purchase: wire.CheckoutRequest,
        now: dt.datetime,
    ) -> Order:
        """Buy something, once for each key of a guest.

        Returns:
            The order, at its end, or pending when another call is working on it.

        Raises:
            NotFound: there is no such product.
            Unprocessable: it cannot be delivered so, or the key had another purchase.
            Unavailable: the order is kept, but could not be finished now.
        """
        known = self._orders.find(order_id(guest_id, idempotency_key))
        if known is None:
            check(purchase, now.date())
            product = self._catalog.product(purchase.product_id)
            known = start(guest_id, idempotency_key, purchase, product, now)
            accepted = self._orders.accept(known)
            if accepted:
                return self._finish_in_call(accepted)
            known = self._reread(known)
        if known.fingerprint != fingerprint(purchase):
            raise Unprocessable(
                "This Idempotency-Key was used for another purchase. "
                "Make a new key for a new purchase."
            )
        leased = self._orders.lease(known.order_id)
        return self._finish_in_call(leased) if leased else self._reread(known)

    def finish(self, order: Order) -> Order:
        """Take a leased order to its end; harmless to repeat, or to do twice at once.

        Raises:
            PaymentsUnavailable: it is not known yet whether the order is paid.
        """
        try:
            self._payments.charge(order)
        except Declined as reason:
            status, message = Status.DECLINED, str(reason)
        else:
            status, message = Status.CONFIRMED, CONFIRMED
        return self._end(self._reread(order), status, message)

    def give_up_or_finish(self, order: Order, now: dt.datetime) -> None:
        """Finish an order that was abandoned, or end it when it is too old.

        Raises:
            PaymentsUnavailable: it is not known yet whether the order is paid.
        """
        if now - order.created_at < self._give_up_after:
            self.finish(order)
            return
        intent = order.payment_intent_id
        if intent and not self._payments.cancel(intent):
            self._end(order, Status.CONFIRMED, CONFIRMED)
        else:
            self._end(order, Status.FAILED, GIVEN_UP)

    def _finish_in_call(self, order: Order) -> Order:
        if not order.final:
            try:
                order = self.finish(order)
            except PaymentsUnavailable as error:
                log.warning(
                    "payment without an answer",
                    extra={"order_id": order.order_id, "reason": str(error)},
                )
                self._orders.let_go(order.order_id)
                # Somebody else may have ended it meanwhile.
                order = self._reread(order)
                if not order.final:
                    raise Unavailable(
                        f"We cannot reach the card processor now. Your order "
                        f"{order.order_id} is kept and will be finished; you will "
                        "not be charged twice."
                    ) from error
        self._notifications.send(order.order_id)
        return order

    def _end(self, order: Order, status: Status, message: str) -> Order:
        ended = self._orders.end(order, status, message)
        if ended is None:
            return self._reread(order)
        log.info(
            "order ended", extra={"order_id": order.order_id, "status": status.value}
        )
        return ended

    def _reread(self, order: Order) -> Order:
        return self._orders.find(order.order_id) or order
