"""Receipts: what was sold, when, to whom, for how much; written once, never changed.

They came after everything else was there, and nobody had to be changed for them: a
queue, a subscription to the topic, this.
"""

import datetime as dt
import logging

from . import order_event
from .consumer import Message
from .database import Table
from .logs import order_id as order_at_hand

log = logging.getLogger(__name__)


class Receipts:
    """The receipts of a table.

    Args:
        table: where they are.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def record(self, message: Message) -> None:
        """Write down a sale; the same one again changes nothing.

        Raises:
            Unavailable: our database is away.
            msgspec.DecodeError: it is no message of ours.
        """
        sale = order_event.read(message.body)
        order_at_hand.set(sale.order_id)
        there = self._table.write_new(
            {
                "order_id": sale.order_id,
                "guest_id": sale.guest_id,
                "product_id": sale.product_id,
                "name": sale.name,
                "quantity": sale.quantity,
                "amount": sale.amount,
                "currency": sale.currency,
                "ordered_at": sale.created_at.isoformat(),
                "sold_at": sale.ended_at.isoformat(),
                "recorded_at": dt.datetime.now(dt.timezone.utc).isoformat(),
            }
        )
        log.info("sale recorded", extra={"first": there is None})
