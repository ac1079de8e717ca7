"""Orders in their table. Each change of state is one conditional write."""

import datetime as dt
from itertools import islice

import msgspec
from msgspec import UNSET

from . import wire
from .database import Item, Table
from .errors import NotFound, Unprocessable
from .orders import ORDER_ID, Order, Status, view

# An order has `open` and `due` only while there is something to do for it: the index
# over them is what the sweep reads, and holds nothing else.
OPEN = "open"
BY_GUEST = "by_guest"
PENDING = "pending"
LOOSE = "loose"

# What must still be done for an order that has ended.
RELEASE = "release"
MAIL = "mail"
TEXT = "text"

CANDIDATES = 10

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
MICROSECOND = dt.timedelta(microseconds=1)


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """An order that has ended, with what must still be done for it.

    Attributes:
        order: the order.
        account: of its guest, in the user pool.
        loose: of `RELEASE`, `MAIL` and `TEXT` what is not done yet.
    """

    order: Order
    account: str | None = None
    loose: frozenset[str] = frozenset()


class OrderStore:
    """The orders of a table.

    Args:
        table: where they are.
        lease_seconds: how long whoever works on an order has it alone. When the lease
            ends without the order having ended, its holder is taken for dead. It is
            longer than a guest's call may run, and than the sweep has for one order;
            the sweep itself runs longer, but there is one at a time.
    """

    def __init__(self, table: Table, lease_seconds: float) -> None:
        self._table = table
        self._lease_seconds = lease_seconds

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

    def accept(self, order: Order, account: str | None) -> Order | None:
        """Write a new order, before anybody else is asked for anything.

        The caller holds the lease on the order that it wrote.

        Returns:
            The order as written, or None when it was there already.
        """
        leased = {"open": PENDING, "due": self._lease_ends(), "account": account}
        there = self._table.write_new(_item(order) | leased)
        return order if there is None else None

    def lease(self, order_id: str) -> Order | None:
        """Take a pending order to work on, unless somebody else has it."""
        item = self._lease(PENDING, order_id)
        return _order(item) if item else None

    def lease_abandoned(self, since: dt.datetime) -> Order | None:
        """Take any pending order whose lease ended before this moment."""
        item = self._lease_oldest(PENDING, since)
        return _order(item) if item else None

    def lease_loose_end(self, since: dt.datetime) -> Ended | None:
        """Take any ended order for which something must still be done."""
        item = self._lease_oldest(LOOSE, since)
        return _ended(item) if item else None

    def let_go(self, order_id: str, wait_seconds: float = 0) -> None:
        """End the lease on an order that could not be worked on now.

        Args:
            order_id: of which order.
            wait_seconds: for how long it would be of no use to take it again.
        """
        self._table.change(
            order_id,
            "SET #due = :due",
            "attribute_exists(#open)",
            due=_milliseconds() + int(wait_seconds * 1000),
        )

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
        self, order: Order, status: Status, message: str, release: bool
    ) -> Ended | None:
        """End a pending order, and note what must be done for it then, or nothing.

        Args:
            order: as it was read.
            status: how it ends.
            message: what to tell its guest.
            release: whether stock may be held for it that it does not need any more.

        Returns:
            The ended order, or None when it has changed since it was read; then nothing
            is written.
        """
        unchanged = (
            "#payment_intent_id = :intent"
            if order.payment_intent_id
            else "attribute_not_exists(#payment_intent_id)"
        )
        item = self._table.change(
            order.order_id,
            "SET #status = :status, #message = :message, #updated_at = :now, "
            "#open = :open, #loose = :ends",
            f"#status = :pending AND {unchanged}",
            status=status.value,
            message=message,
            now=_moment(dt.datetime.now(dt.timezone.utc)),
            open=LOOSE,
            ends={RELEASE, MAIL, TEXT} if release else {MAIL, TEXT},
            pending=Status.PENDING.value,
            intent=order.payment_intent_id,
        )
        return _ended(item) if item else None

    def done(self, ended: Ended, done: set[str]) -> None:
        """Take away the notes of what has been done."""
        if not done:
            return
        update = "DELETE #loose :done"
        if done >= ended.loose:
            update += " REMOVE #open, #due"
        self._table.change(ended.order.order_id, update, done=done)

    def _lease_oldest(self, which: str, since: dt.datetime) -> Item | None:
        waiting = self._table.find(
            OPEN,
            "#open = :open AND #due < :since",
            {"open": which, "since": _milliseconds(since)},
            limit=CANDIDATES,
        )
        leased = (self._lease(which, item["order_id"]) for item in waiting)
        return next((item for item in leased if item), None)

    def _lease(self, which: str, order_id: str) -> Item | None:
        return self._table.change(
            order_id,
            "SET #due = :ends",
            "#open = :which AND #due < :now",
            which=which,
            now=_milliseconds(),
            ends=self._lease_ends(),
        )

    def _lease_ends(self) -> int:
        return _milliseconds() + int(self._lease_seconds * 1000)


def _item(order: Order) -> Item:
    item: Item = msgspec.to_builtins(order)
    for name in ("created_at", "updated_at"):
        item[name] = _moment(getattr(order, name))
    return {name: value for name, value in item.items() if value is not None}


def _order(item: Item) -> Order:
    return msgspec.convert(item, Order)


def _ended(item: Item) -> Ended:
    return Ended(
        order=_order(item),
        account=item.get("account"),
        loose=frozenset(item.get("loose", ())),
    )


def _moment(at: dt.datetime) -> str:
    """Write a moment so that texts sort as the moments do: always as long."""
    return at.isoformat(timespec="microseconds")


def _milliseconds(at: dt.datetime | None = None) -> int:
    """Return a moment, which is now by default, as Unix milliseconds."""
    return int((at or dt.datetime.now(dt.timezone.utc)).timestamp() * 1000)


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
