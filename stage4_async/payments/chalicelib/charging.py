"""Taking an accepted order to its end: reserve, charge, end, tell, give back.

A table or a room has two steps more: its supplier holds it before it is paid, and
confirms it afterwards. Whatever fails on the way, what was done before is undone: what
was held is let go, what was charged is given back. So is what was paid for a place
whose supplier does not say a word until the order is too old.

A queue delivers at least once, so each step may be repeated, by two workers at the same
time as well. The message is done when the end is told and what was held is let go,
and not before. Whoever is killed on the way leaves a message that comes again.
"""

import datetime as dt
import logging
import time
from contextlib import suppress

from . import charge_order
from .breaker import Breaker
from .catalog import Catalog
from .charge_order import ChargeOrder
from .consumer import Message
from .errors import Unavailable
from .logs import order_id as order_at_hand
from .orders import CONFIRMED, GIVEN_UP, SOLD_OUT, Order, Status
from .payment_store import Payment, PaymentStore
from .payments import Declined, Payments, PaymentsUnavailable
from .refunds import Refunds
from .supplier import Supplier
from .topic import Topic
from .waiting import Waiting

log = logging.getLogger(__name__)

FULL = "Sorry, there is no room left on that day. Nothing was charged."
LAPSED = (
    "Sorry, they could not confirm this to us in time. You get back all that you paid; "
    "please order again."
)

# So often a message may come again because others are away. The rest of what the queue
# allows is for messages that are themselves the matter.
MOST_DELIVERIES = 3
# Then it is sent anew, for a tenth of the time that the order has waited already and
# within these bounds: a short outage costs no time, and a long one few messages.
SHORTEST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 30.0


class StillHeld(Exception):
    """Somebody has to call the supplier, who has not heard that it is to let go."""


class Charging:
    """Takes orders to their end.

    Args:
        catalog: who holds the stock.
        supplier: who has the tables and rooms.
        store: how far each order is.
        payments: who charges the card.
        refunds: who gives money back.
        topic: where the ends of orders are told.
        waiting: where an order waits while others are away.
        breaker: knows whether the card processor is.
        give_up_seconds: the age at which an order that cannot be finished is ended.
    """

    def __init__(
        self,
        catalog: Catalog,
        supplier: Supplier,
        store: PaymentStore,
        payments: Payments,
        refunds: Refunds,
        topic: Topic,
        waiting: Waiting,
        breaker: Breaker,
        give_up_seconds: float,
    ) -> None:
        self._catalog = catalog
        self._supplier = supplier
        self._store = store
        self._payments = payments
        self._refunds = refunds
        self._topic = topic
        self._waiting = waiting
        self._breaker = breaker
        self._give_up_after = dt.timedelta(seconds=give_up_seconds)

    def serve(self, message: Message) -> None:
        """Do what a message asks for.

        Raises:
            Unavailable: somebody does not answer; it is to be tried again.
            msgspec.DecodeError: it is no message of ours.
        """
        asked = charge_order.read(message.body)
        order_at_hand.set(asked.order.order_id)
        if self._breaker.left():
            # It would only wait for the same timeout.
            self._put_off(message, asked)
            return
        try:
            self.settle(asked, dt.datetime.now(dt.timezone.utc))
        except (PaymentsUnavailable, Unavailable) as error:
            if message.delivery < MOST_DELIVERIES:
                raise Unavailable(str(error)) from error
            # An hour's outage must not put every order among the dead letters.
            self._put_off(message, asked)

    def settle(self, asked: ChargeOrder, now: dt.datetime) -> None:
        """Take an order to its end and tell of it; harmless to repeat.

        Args:
            asked: the order.
            now: the time (UTC).

        Raises:
            Unavailable: the catalogue, a supplier, our database or the topic does not
                answer.
            PaymentsUnavailable: it is not known yet whether the order is paid.
            StillHeld: a supplier could not be told for long that it is to let go.
        """
        payment = self._store.begin(asked)
        if not payment.order.final:
            payment = self._finish(payment, now)
        # No guest waits until those who are away can be told to let go.
        self._topic.tell(payment)
        if payment.holds:
            self._catalog.release(payment.order.order_id)
            self._let_go(payment, now)

    def _put_off(self, message: Message, asked: ChargeOrder) -> None:
        order, now = asked.order, time.time()
        with suppress(Unavailable):
            if self._store.begin(asked).waits_until > now:
                # The sweep sends more, now and then. One that waits is enough.
                log.info("another message of the order waits")
                return
        pause = (now - order.created_at.timestamp()) / 10
        pause = max(SHORTEST_PAUSE_SECONDS, min(LONGEST_PAUSE_SECONDS, pause))
        delay = self._waiting.put_off(message, pause)
        with suppress(Unavailable):
            # A second less: the one that waits must not take itself for another.
            self._store.waits(order.order_id, now + delay - 1)

    def _finish(self, payment: Payment, now: dt.datetime) -> Payment:
        order = payment.order
        if payment.giving_back:
            return self._give_back(order)
        if now - order.created_at >= self._give_up_after:
            return self._give_up(payment)
        # The intent is stored after all was held: who finds one need not ask.
        if not order.payment_intent_id:
            if not self._catalog.hold(order):
                # A refusal stays one, so there is nothing to give back.
                return self._end(order, Status.FAILED, SOLD_OUT)
            if payment.supplied and not self._supplier.hold(order):
                return self._end(order, Status.FAILED, FULL, holds=True)
            log.info("held")
        try:
            self._payments.charge(order)
        except Declined as reason:
            order = self._reread(order).order
            return self._end(order, Status.DECLINED, str(reason), holds=True)
        log.info("charged")
        return self._paid(self._reread(order))

    def _give_up(self, payment: Payment) -> Payment:
        intent = payment.order.payment_intent_id
        if intent and not self._payments.cancel(intent):
            return self._paid(payment, too_old=True)
        return self._end(payment.order, Status.FAILED, GIVEN_UP, holds=True)

    def _paid(self, payment: Payment, *, too_old: bool = False) -> Payment:
        order = payment.order
        if payment.supplied and not self._confirmed(order, too_old):
            return self._give_back(order)
        return self._end(order, Status.CONFIRMED, CONFIRMED)

    def _confirmed(self, order: Order, too_old: bool) -> bool:
        try:
            return self._supplier.confirm(order.order_id)
        except Unavailable:
            if too_old:
                return False  # a guest's money does not wait for ever for a word
            raise

    def _give_back(self, order: Order) -> Payment:
        # Decided before it is done: whoever hears the supplier now may not confirm.
        if self._store.give_back(order.order_id):
            self._refunds.give_back(order)
            log.warning("charge given back: the supplier did not confirm it")
        return self._end(order, Status.FAILED, LAPSED, holds=True)

    def _let_go(self, payment: Payment, now: dt.datetime) -> None:
        order_id = payment.order.order_id
        try:
            if payment.supplied:
                self._supplier.release(order_id)
        except Unavailable as error:
            if now - payment.order.updated_at < self._give_up_after:
                raise
            # Not for ever either: among the dead letters somebody will see it.
            raise StillHeld(f"{order_id} is to be let go, then redriven.") from error
        self._store.released(order_id)
        log.info("let go of what was held")

    def _end(
        self, order: Order, status: Status, message: str, *, holds: bool = False
    ) -> Payment:
        ended = self._store.end(order, status, message, holds=holds)
        if ended is not None:
            log.info("payment ended", extra={"status": status.value})
            return ended
        known = self._reread(order)
        if not known.order.final:
            raise Unavailable("Somebody else is charging this order at this moment.")
        return known

    def _reread(self, order: Order) -> Payment:
        found = self._store.find(order.order_id)
        if found is None:
            raise Unavailable("The payment is not there, though it was written.")
        return found
