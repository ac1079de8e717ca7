"""Buying: all steps in one function call, which Lambda may end at any moment.

The guest waits for all of it, the letter included. An item says how far the order is,
and the steps may be repeated from there: reserve, charge, end, give back, tell. A crash
or a lost answer anywhere leaves an item that the sweep goes on with.
"""

import contextlib
import datetime as dt
import logging

from . import wire
from .catalog import Catalog
from .errors import Unavailable, Unprocessable
from .guests import Guest
from .notifications import Notifications
from .order_store import MAIL, RELEASE, TEXT, Ended, OrderStore
from .orders import (
    CONFIRMED,
    GIVEN_UP,
    SOLD_OUT,
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
        catalog: what is sold, at what price, and who holds the stock.
        orders: where orders are kept.
        payments: who charges the card.
        notifications: what tells the guest.
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
        guest: Guest,
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
            Unavailable: the catalogue is away and nothing was ordered; or the order is
                kept, but could not be finished now.
        """
        known = self._orders.find(order_id(guest.guest_id, idempotency_key))
        if known is None:
            check(purchase, now.date())
            product = self._catalog.product(purchase.product_id)
            known = start(guest.guest_id, idempotency_key, purchase, product, now)
            if self._orders.accept(known, guest.account):
                return self._finish_in_call(known)
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
            Unavailable: it is not known yet whether there is enough for it.
            PaymentsUnavailable: it is not known yet whether the order is paid.
        """
        # The intent is stored after the stock was held: who finds one need not ask.
        if not order.payment_intent_id and not self._catalog.hold(order):
            # A refusal stays one, so there is nothing to give back.
            return self._end(order, Status.FAILED, SOLD_OUT, release=False)
        try:
            self._payments.charge(order)
        except Declined as reason:
            order = self._reread(order)
            return self._end(order, Status.DECLINED, str(reason), release=True)
        return self._end(self._reread(order), Status.CONFIRMED, CONFIRMED)

    def give_up_or_finish(self, order: Order, now: dt.datetime) -> None:
        """Finish an order that was abandoned, or end it when it is too old.

        Raises:
            Unavailable: it is not known yet whether there is enough for it.
            PaymentsUnavailable: it is not known yet whether the order is paid.
        """
        if now - order.created_at < self._give_up_after:
            self.finish(order)
            return
        intent = order.payment_intent_id
        if intent and not self._payments.cancel(intent):
            self._end(order, Status.CONFIRMED, CONFIRMED)
        else:
            self._end(order, Status.FAILED, GIVEN_UP, release=True)

    def tell_others(self, ended: Ended) -> bool:
        """Do what is still to do for an order that has ended.

        It is as true as it was without that: who is away is asked again later.

        Returns:
            Whether all of it is done.
        """
        order_id = ended.order.order_id
        notice = self._notifications.of(ended)
        steps = {
            RELEASE: lambda: self._catalog.release(order_id),
            MAIL: notice.mail,
            TEXT: notice.text,
        }
        done: set[str] = set()
        wait = 0
        for name, step in steps.items():
            if name in ended.loose:
                try:
                    step()
                    done.add(name)
                    if name == MAIL:
                        # Who is killed in the text must not send the letter again.
                        self._orders.done(ended, done)
                except Unavailable as away:
                    wait = max(wait, away.retry_after or 0)
                    about = {"step": name, "order_id": order_id}
                    log.warning("not done yet", extra=about)
        all_done = done == ended.loose
        try:
            self._orders.done(ended, done)
            if not all_done:
                self._orders.let_go(order_id, wait)
        except Unavailable:
            # The lease runs out by itself; whoever was told is told once more.
            log.warning("not noted what was done", extra={"order_id": order_id})
        return all_done

    def _finish_in_call(self, order: Order) -> Order:
        try:
            return self.finish(order)
        except (PaymentsUnavailable, Unavailable) as error:
            log.warning(
                "order not finished in the call",
                extra={"order_id": order.order_id, "reason": str(error)},
            )
            # Where our own database is away, the lease runs out by itself.
            with contextlib.suppress(Unavailable):
                self._orders.let_go(order.order_id)
                # Somebody else may have ended it meanwhile.
                current = self._reread(order)
                if current.final:
                    return current
            whom = (
                "the card processor"
                if isinstance(error, PaymentsUnavailable)
                else "one of our services"
            )
            raise Unavailable(
                f"We cannot reach {whom} now. Your order {order.order_id} is kept and "
                "will be finished; you will not be charged twice."
            ) from error

    def _end(
        self, order: Order, status: Status, message: str, *, release: bool = False
    ) -> Order:
        ended = self._orders.end(order, status, message, release)
        if ended is None:
            return self._reread(order)
        log.info(
            "order ended", extra={"order_id": order.order_id, "status": status.value}
        )
        self.tell_others(ended)
        return ended.order

    def _reread(self, order: Order) -> Order:
        return self._orders.find(order.order_id) or order
