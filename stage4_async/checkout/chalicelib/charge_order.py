"""What checkout asks of payments: the messages of the queue `charge-order`."""

import msgspec

from .orders import Order


class ChargeOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order to be charged, as it was accepted.

    Attributes:
        order: the order.
        account: of its guest, in the user pool; None for who signed in elsewhere.
        supplied: whether a supplier has to hold and confirm it: a table, a room.
    """

    order: Order
    account: str | None = None
    supplied: bool = False


def read(body: str) -> ChargeOrder:
    """Read a message.

    Raises:
        msgspec.DecodeError: it is none of ours; trying again will not help.
    """
    return msgspec.json.decode(body, type=ChargeOrder)


def write(asked: ChargeOrder) -> str:
    """Write a message."""
    return msgspec.json.encode(asked).decode()
