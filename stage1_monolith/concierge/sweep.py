"""Finishing what a crash interrupted: abandoned orders and mail that was not sent."""

import datetime as dt
import logging
import threading

from .checkout import Checkout
from .errors import Unavailable
from .notifications import Notifications
from .order_store import OrderStore
from .payments import PaymentsUnavailable

log = logging.getLogger(__name__)

# When so many orders in a row have no answer from Stripe, the rest wait for the next
# round: they would only wait for the same timeout one after the other.
ENOUGH_FAILURES = 3
MOST_AT_ONCE = 200


class Sweep:
    """Goes over what is unfinished, again and again.

    Several processes may sweep at once: each order and each notification is leased.
    """

    def __init__(
        self, orders: OrderStore, checkout: Checkout, notifications: Notifications
    ) -> None:
        self._orders = orders
        self._checkout = checkout
        self._notifications = notifications

    def once(self, now: dt.datetime) -> int:
        """Finish each abandoned order and send each late notification, once.

        Args:
            now: the time (UTC). What is abandoned after it is left to the next round.

        Returns:
            How many orders were taken up.
        """
        taken = self._finish_orders(now)
        self._send_notifications()
        return taken

    def start(self, every_seconds: float) -> threading.Event:
        """Sweep now and then periodically, in a thread of its own.

        Returns:
            An event; setting it ends the sweeping.
        """
        stop = threading.Event()

        def run() -> None:
            while not stop.is_set():
                try:
                    self.once(dt.datetime.now(dt.timezone.utc))
                except Unavailable:
                    log.warning("sweep put off: the database is away")
                except Exception:
                    log.exception("sweep failed; it goes on with the next round")
                stop.wait(every_seconds)

        threading.Thread(target=run, name="sweep", daemon=True).start()
        return stop

    def _finish_orders(self, now: dt.datetime) -> int:
        taken = failures = 0
        while taken < MOST_AT_ONCE and failures < ENOUGH_FAILURES:
            order = self._orders.lease_abandoned(now)
            if order is None:
                break
            taken += 1
            try:
                self._checkout.give_up_or_finish(order, now)
                failures = 0
            except PaymentsUnavailable as error:
                failures += 1
                log.warning(
                    "order put off",
                    extra={"order_id": order.order_id, "reason": str(error)},
                )
                self._orders.let_go(order.order_id)
            except Unavailable:
                raise
            except Exception:
                # Its lease keeps it out of the way of the others for a while.
                log.exception("order failed", extra={"order_id": order.order_id})
        return taken

    def _send_notifications(self) -> None:
        failures = 0
        for _ in range(MOST_AT_ONCE):
            try:
                more = self._notifications.send_next()
            except Unavailable:
                raise
            except Exception:
                log.exception("notification failed")
                failures += 1
                more = failures < ENOUGH_FAILURES
            if not more:
                break
