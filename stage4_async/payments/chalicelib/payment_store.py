"""Payments in their table: how far each order is. A change is one conditional write."""

import datetime as dt
from dataclasses import dataclass

import msgspec

from .charge_order import ChargeOrder
from .database import Item, Table
from .orders import Order, Status

# Of an order that has ended without a charge: stock may be held for it still.
HOLDS = "holds"
# Of an order that is paid and cannot be had: nobody may confirm it any more.
GIVING_BACK = "giving_back"
# Until when, in Unix seconds, another message of an order waits in the queue.
WAITS_UNTIL = "waits_until"


@dataclass(frozen=True)
class Payment:
    """An order as payments knows it.

    Attributes:
        order: the order, with its payment.
        account: of its guest, in the user pool.
        supplied: whether a supplier has to hold and confirm it.
        holds: whether stock, or a supplier's place, is to be given back that it does
            not need any more.
        giving_back: whether its money is on the way back.
        waits_until: a message of it waits in the queue until then, in Unix seconds.
    """

    order: Order
    account: str | None
    supplied: bool
    holds: bool
    giving_back: bool = False
    waits_until: float = 0.0


class PaymentStore:
    """The payments of a table.

    Args:
        table: where they are.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def begin(self, asked: ChargeOrder) -> Payment:
        """Write down an order that is to be charged, or find it written down.

        What was written first holds, whatever a later message says.
        """
        item = _item(asked)
        return _payment(self._table.write_new(item) or item)

    def find(self, order_id: str) -> Payment | None:
        """Read a payment."""
        item = self._table.read(order_id)
        return _payment(item) if item else None

    def remember_intent(self, order_id: str, intent_id: str) -> str | None:
        """Store the PaymentIntent of a pending order; the first one stored stays.

        Returns:
            The stored intent, or None when the order has ended.
        """
        item = self._table.change(
            order_id,
            "SET #payment_intent_id = if_not_exists(#payment_intent_id, :intent)",
            "#status = :pending",
            intent=intent_id,
            pending=Status.PENDING.value,
        )
        return item["payment_intent_id"] if item else None

    def raise_attempt(self, order_id: str, attempt: int) -> None:
        """Number the next payment attempt, unless somebody did so already."""
        self._table.change(
            order_id,
            "SET #payment_attempt = :next",
            "#payment_attempt = :attempt",
            attempt=attempt,
            next=attempt + 1,
        )

    def end(
        self, order: Order, status: Status, message: str, *, holds: bool
    ) -> Payment | None:
        """End a pending order; one whose money is given back is not confirmed.

        Args:
            order: as it was read.
            status: how it ends.
            message: what to tell its guest.
            holds: whether stock may be held for it that it does not need any more.

        Returns:
            The ended order, or None when it has changed since it was read; then nothing
            is written.
        """
        unchanged = (
            "#payment_intent_id = :intent"
            if order.payment_intent_id
            else "attribute_not_exists(#payment_intent_id)"
        )
        if status is Status.CONFIRMED:
            unchanged += f" AND attribute_not_exists(#{GIVING_BACK})"
        item = self._table.change(
            order.order_id,
            "SET #status = :status, #message = :message, #updated_at = :now, "
            f"#{HOLDS} = :holds",
            f"#status = :pending AND {unchanged}",
            status=status.value,
            message=message,
            now=_moment(dt.datetime.now(dt.timezone.utc)),
            holds=holds,
            pending=Status.PENDING.value,
            intent=order.payment_intent_id,
        )
        return _payment(item) if item else None

    def give_back(self, order_id: str) -> bool:
        """Decide that a pending order will not be confirmed, and its money goes back.

        Returns:
            Whether it was pending still.
        """
        item = self._table.change(
            order_id,
            f"SET #{GIVING_BACK} = :decided",
            "#status = :pending",
            decided=True,
            pending=Status.PENDING.value,
        )
        return item is not None

    def waits(self, order_id: str, until: float) -> None:
        """Note that a message of an order waits in the queue, until Unix seconds."""
        self._table.change(order_id, f"SET #{WAITS_UNTIL} = :until", until=int(until))

    def released(self, order_id: str) -> None:
        """Note that an order's stock was given back."""
        self._table.change(order_id, f"REMOVE #{HOLDS}")


def _item(asked: ChargeOrder) -> Item:
    item: Item = msgspec.to_builtins(asked.order)
    for name in ("created_at", "updated_at"):
        item[name] = _moment(getattr(asked.order, name))
    item |= {"account": asked.account, "supplied": asked.supplied}
    return {name: value for name, value in item.items() if value is not None}


def _payment(item: Item) -> Payment:
    return Payment(
        order=msgspec.convert(item, Order),
        account=item.get("account"),
        supplied=bool(item.get("supplied")),
        holds=bool(item.get(HOLDS)),
        giving_back=bool(item.get(GIVING_BACK)),
        waits_until=float(item.get(WAITS_UNTIL, 0)),
    )


def _moment(at: dt.datetime) -> str:
    return at.isoformat(timespec="microseconds")
