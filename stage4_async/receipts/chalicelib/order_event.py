"""What is told of an order that has ended: the messages of the topic `order-events`.

Whoever reads them passes over what it does not know, so that more can be told one day
without anybody's having to change at the same time.
"""

import datetime as dt

import msgspec

# The attribute by which subscriptions choose.
EVENT = "event"


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How an order ended; `amount` in cents, times in UTC.

    Attributes:
        event: `order-confirmed`, `order-declined` or `order-failed`.
        account: of the guest, in the user pool; None for who signed in elsewhere.
    """

    event: str
    order_id: str
    guest_id: str
    account: str | None
    status: str
    product_id: str
    name: str
    quantity: int
    amount: int
    currency: str
    delivery_address: str
    delivery_date: dt.date
    message: str
    created_at: dt.datetime
    ended_at: dt.datetime


def read(body: str) -> OrderEvent:
    """Read a message.

    Raises:
        msgspec.DecodeError: it is none of ours; trying again will not help.
    """
    return msgspec.json.decode(body, type=OrderEvent)


def write(event: OrderEvent) -> str:
    """Write a message."""
    return msgspec.json.encode(event).decode()
