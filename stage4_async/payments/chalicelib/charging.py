"""Taking an accepted order to its end: reserve, charge, end, give back, tell.

A queue delivers at least once, so each step may be repeated, by two workers at the same
time as well. The message is done when the end is told, and not before. Whoever is
killed on the way leaves a message that comes again.
"""

import datetime as dt
import logging

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
from .topic import Topic
from .waiting import Waiting

log = logging.getLogger(__name__)

# So often a message may come again because others are away. The rest of what the queue
# allows is for messages that are themselves the matter.
MOST_DELIVERIES = 3
PAUSE_SECONDS = 5.0


class Charging:
    """Takes orders to their end.

    Args:
        catalog: who holds the stock.
        store: how far each order is.
        payments: who charges the card.
        topic: where the ends of orders are told.
        waiting: where an order waits while others are away.
        breaker: knows whether they are.
        give_up_seconds: the age at which an order that cannot be finished is ended.
    """

    def __init__(
        self,
        catalog: Catalog,
        store: PaymentStore,
        payments: Payments,
        topic: Topic,
        waiting: Waiting,
        breaker: Breaker,
        give_up_seconds: float,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._payments = payments
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
        if left := self._breaker.left():
            # It would only wait for the same timeout.
            self._waiting.put_off(message, left)
            return
        try:
            self.settle(asked, dt.datetime.now(dt.timezone.utc))
        except (Unavailable, PaymentsUnavailable) as error:
            self._breaker.failed()
            if message.delivery < MOST_DELIVERIES:
                raise Unavailable(str(error)) from error
            # An hour's outage must not put every order among the dead letters.
            self._waiting.put_off(message, PAUSE_SECONDS)
        else:
            self._breaker.worked()

    def settle(self, asked: ChargeOrder, now: dt.datetime) -> None:
        """Take an order to its end and tell of it; harmless to repeat.

        Args:
            asked: the order.
            now: the time (UTC).

        Raises:
            Unavailable: the catalogue, our database or the topic does not answer.
            PaymentsUnavailable: it is not known yet whether the order is paid.
        """
        payment = self._store.begin(asked)
        if not payment.order.final:
            payment = self._finish(payment.order, now)
        if payment.holds:
            self._catalog.release(payment.order.order_id)
            self._store.released(payment.order.order_id)
        self._topic.tell(payment)

    def _finish(self, order: Order, now: dt.datetime) -> Payment:
        if now - order.created_at >= self._give_up_after:
            return self._give_up(order)
        # The intent is stored after the stock was held: who finds one need not ask.
        if not order.payment_intent_id and not self._catalog.hold(order):
            # A refusal stays one, so there is nothing to give back.
            return self._end(order, Status.FAILED, SOLD_OUT)
        try:
            self._payments.charge(order)
        except Declined as reason:
            order = self._reread(order).order
            return self._end(order, Status.DECLINED, str(reason), holds=True)
        return self._end(self._reread(order).order, Status.CONFIRMED, CONFIRMED)

    def _give_up(self, order: Order) -> Payment:
        intent = order.payment_intent_id
        if intent and not self._payments.cancel(intent):
            return self._end(order, Status.CONFIRMED, CONFIRMED)
        return self._end(order, Status.FAILED, GIVEN_UP, holds=True)

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
