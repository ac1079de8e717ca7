"""Sending again the orders of which nothing was heard: their message may be lost.

A worker that is killed after writing an order and before sending its message leaves an
order that nobody works on. So does a lost message, one among the dead letters, and a
lost word of how an order ended. A message too many does no harm.
"""

import datetime as dt
import logging

from . import deadline
from .charge_queue import ChargeQueue
from .errors import Unavailable
from .order_store import OrderStore

log = logging.getLogger(__name__)

# When the queue takes none of so many in a row, the rest wait for the next round.
ENOUGH_FAILURES = 3
MOST_AT_ONCE = 500
LONGEST_SECONDS = 5.0


class Sweep:
    """Goes over the orders that have not ended, again and again.

    Several may sweep at once: each order is taken by one of them.
    """

    def __init__(self, orders: OrderStore, queue: ChargeQueue) -> None:
        self._orders = orders
        self._queue = queue

    def once(self, now: dt.datetime) -> int:
        """Send each order again that has stayed pending too long, once.

        Args:
            now: the time (UTC).

        Returns:
            How many were sent.
        """
        sent = failures = 0
        for overdue in self._orders.overdue(now, MOST_AT_ONCE):
            if failures == ENOUGH_FAILURES or not _has_time():
                break
            try:
                sent += self._send_again(overdue, now)
                failures = 0
            except Unavailable:
                # It is due again after a while.
                failures += 1
                log.warning("not sent again", extra={"order_id": overdue})
            except Exception:
                # An order that we cannot make sense of keeps no other waiting.
                log.exception("order failed", extra={"order_id": overdue})
        log.info("swept", extra={"sent": sent})
        return sent

    def _send_again(self, overdue: str, now: dt.datetime) -> bool:
        order = self._orders.take_again(overdue, now)
        if order is not None:
            self._queue.send(order)
        return order is not None


def _has_time() -> bool:
    return deadline.left(most=LONGEST_SECONDS) >= LONGEST_SECONDS
