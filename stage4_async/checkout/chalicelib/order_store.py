"""Orders in their table, which is the outbox too: what is pending may have to be sent.

Each change of state is one conditional write.
"""

import datetime as dt
from collections.abc import Iterator
from itertools import islice

import msgspec
from msgspec import UNSET

from . import wire
from .charge_order import ChargeOrder
from .database import Item, Table
from .errors import NotFound, Unprocessable
from .orders import ORDER_ID, Order, Status, view

# An order has `open` and `due` only while it is pending: the index over them is what
# the sweep reads, and holds nothing else.
OPEN = "open"
BY_GUEST = "by_guest"
PENDING = "pending"

# Sent again and again, an order waits twice as long each time, up to this.
LONGEST_WAIT_SECONDS = 900.0

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
MICROSECOND = dt.timedelta(microseconds=1)


class OrderStore:
    """The orders of a table.

    Args:
        table: where they are.
        patience_seconds: how long an order may stay pending before it is sent again.
    """

    def __init__(self, table: Table, patience_seconds: float) -> None:
        self._table = table
        self._patience_seconds = patience_seconds

    def find(self, order_id: str) -> Order | None:
        """Read an order, whoever it belongs to."""
        item = self._table.read(order_id)
        return _order(item) if item else None

    def of_guest(self, guest_id: str, order_id: str) -> Order:
        """Read one of a guest's own orders.

        Raises:
            NotFound: the guest has none with this id.
        """
        order = self.find(order_id) if ORDER_ID.fullmatch(order_id) else None
        if order is None or order.guest_id != guest_id:
            raise NotFound("You have no order with this id. See GET /orders.")
        return order

    def page(self, guest_id: str, query: wire.OrderQuery) -> wire.OrderPage:
        """List a guest's orders, newest first, a page at a time."""
        after = None
        if query.cursor is not UNSET:
            created_at, order_id = _read_cursor(query.cursor)
            after = {
                "guest_id": guest_id,
                "created_at": _moment(created_at),
                "order_id": order_id,
            }
        rows = self._table.find(
            BY_GUEST,
            "#guest_id = :guest_id",
            {"guest_id": guest_id},
            after=after,
            limit=query.limit + 1,
            newest_first=True,
        )
        found = [_order(row) for row in islice(rows, query.limit + 1)]
        shown = found[: query.limit]
        return wire.OrderPage(
            orders=[view(order) for order in shown],
            next_cursor=_cursor(shown[-1]) if len(found) > query.limit else UNSET,
        )

    def accept(self, asked: ChargeOrder) -> Order | None:
        """Write a new order, before anybody is asked to do anything for it.

        Returns:
            None when it was written, or else the order that was there already.
        """
        outbox = {
            "open": PENDING,
            "due": _milliseconds(asked.order.created_at, self._patience_seconds),
            "sent": 1,
            "account": asked.account,
            "supplied": asked.supplied,
        }
        there = self._table.write_new(_item(asked.order) | outbox)
        return _order(there) if there else None

    def overdue(self, now: dt.datetime, most: int) -> Iterator[str]:
        """Return the ids of orders that have stayed pending too long, oldest first."""
        waiting = self._table.find(
            OPEN,
            "#open = :open AND #due < :now",
            {"open": PENDING, "now": _milliseconds(now)},
            limit=min(most, 100),
        )
        return (item["order_id"] for item in islice(waiting, most))

    def take_again(self, order_id: str, now: dt.datetime) -> ChargeOrder | None:
        """Take an overdue order to send it again; it is due again some time later.

        Returns:
            What to send, or None when it has ended or somebody else has taken it.
        """
        item = self._table.read(order_id)
        if item is None or "open" not in item or item["due"] >= _milliseconds(now):
            return None
        doubled = self._patience_seconds * 2 ** min(item["sent"], 10)
        taken = self._table.change(
            order_id,
            "SET #due = :due ADD #sent :one",
            "#open = :pending AND #due = :was",
            due=_milliseconds(now, min(LONGEST_WAIT_SECONDS, doubled)),
            one=1,
            pending=PENDING,
            was=item["due"],
        )
        if taken is None:
            return None
        return ChargeOrder(
            order=_order(taken),
            account=taken.get("account"),
            supplied=bool(taken.get("supplied")),
        )

    def end(self, order_id: str, status: Status, message: str, at: dt.datetime) -> bool:
        """End a pending order.

        Args:
            order_id: of which order.
            status: how it ended.
            message: what to tell its guest.
            at: when (UTC).

        Returns:
            Whether it was pending until now.
        """
        ended = self._table.change(
            order_id,
            "SET #status = :status, #message = :message, #updated_at = :at "
            "REMOVE #open, #due",
            "#status = :pending",
            status=status.value,
            message=message,
            at=_moment(at),
            pending=Status.PENDING.value,
        )
        return ended is not None


def _item(order: Order) -> Item:
    item: Item = msgspec.to_builtins(order)
    for name in ("created_at", "updated_at"):
        item[name] = _moment(getattr(order, name))
    return {name: value for name, value in item.items() if value is not None}


def _order(item: Item) -> Order:
    return msgspec.convert(item, Order)


def _moment(at: dt.datetime) -> str:
    """Write a moment so that texts sort as the moments do: always as long."""
    return at.isoformat(timespec="microseconds")


def _milliseconds(at: dt.datetime, later_seconds: float = 0) -> int:
    """Return a moment, or one so much later, as Unix milliseconds."""
    return int((at.timestamp() + later_seconds) * 1000)


def _cursor(order: Order) -> str:
    return f"{(order.created_at - EPOCH) // MICROSECOND}-{order.order_id}"


def _read_cursor(cursor: str) -> tuple[dt.datetime, str]:
    micros, _, order_id = cursor.partition("-")
    try:
        moment = EPOCH + int(micros) * MICROSECOND
        # DynamoDB takes no key that is empty.
        if not ORDER_ID.fullmatch(order_id):
            raise ValueError("This is not the id of an order.")
    except (ValueError, OverflowError) as error:
        raise Unprocessable(
            "cursor: this is not the nextCursor of a page. Start without one."
        ) from error
    return moment, order_id
