"""Orders in the database. Each change of state is one conditional write."""

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET
from sqlalchemy.dialects.postgresql import insert

from . import wire
from .database import Database, after, now, orders
from .errors import NotFound, Unprocessable
from .orders import ORDER_ID, Order, Status, view

STORED = [orders.c[name] for name in Order.__struct_fields__]


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """An order that has ended, with what others must still be told of it."""

    order: Order
    guest_email: str
    release_due: bool
    notify_due: bool


LOOSE_ENDS = [
    orders.c[name] for name in Ended.__struct_fields__ if name in orders.columns
]


class OrderStore:
    """The orders of a database.

    Args:
        database: where they are.
        lease_seconds: how long whoever works on an order has it alone. When the lease
            ends without the order having ended, its holder is taken for dead.
    """

    def __init__(self, database: Database, lease_seconds: float) -> None:
        self._database = database
        self._lease_seconds = lease_seconds

    def find(self, order_id: str) -> Order | None:
        """Read an order, whoever it belongs to."""
        chosen = sa.select(*STORED).where(orders.c.order_id == order_id)
        with self._database.statement() as tx:
            row = tx.execute(chosen).one_or_none()
        return _order(row) if row else None

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
        chosen = (
            sa.select(*STORED)
            .where(orders.c.guest_id == guest_id)
            .order_by(orders.c.created_at.desc(), orders.c.order_id.desc())
            .limit(query.limit + 1)
        )
        if query.cursor is not UNSET:
            created_at, order_id = _read_cursor(query.cursor)
            last = sa.tuple_(sa.literal(created_at), sa.literal(order_id))
            chosen = chosen.where(
                sa.tuple_(orders.c.created_at, orders.c.order_id) < last
            )
        with self._database.statement() as tx:
            found = [_order(row) for row in tx.execute(chosen)]
        shown = found[: query.limit]
        return wire.OrderPage(
            orders=[view(order) for order in shown],
            next_cursor=_cursor(shown[-1]) if len(found) > query.limit else UNSET,
        )

    def accept(self, order: Order, guest_email: str) -> Order | None:
        """Write a new order, before anybody else is asked for anything.

        The caller holds the lease on the order that it wrote.

        Returns:
            The order as written, or None when it was there already.
        """
        written = (
            insert(orders)
            .values(msgspec.structs.asdict(order))
            .values(guest_email=guest_email, leased_until=after(self._lease_seconds))
            .on_conflict_do_nothing(index_elements=["order_id"])
            .returning(orders.c.order_id)
        )
        with self._database.statement() as tx:
            return order if tx.execute(written).one_or_none() else None

    def lease(self, order_id: str) -> Order | None:
        """Take a pending order to work on, unless somebody else has it."""
        row = self._lease(PENDING, sa.literal(order_id))
        return _order(row) if row else None

    def lease_abandoned(self, since: dt.datetime) -> Order | None:
        """Take any pending order whose lease ended before this moment."""
        row = self._lease(PENDING, _oldest(PENDING, since))
        return _order(row) if row else None

    def lease_loose_end(self, since: dt.datetime) -> Ended | None:
        """Take any ended order of which others must still be told."""
        row = self._lease(LOOSE, _oldest(LOOSE, since))
        return _ended(row) if row else None

    def let_go(self, order_id: str) -> None:
        """End the lease on an order that could not be worked on now."""
        ended = sa.update(orders).where(orders.c.order_id == order_id)
        with self._database.statement() as tx:
            tx.execute(ended.values(leased_until=now()))

    def remember_intent(self, order_id: str, intent_id: str) -> str | None:
        """Store the PaymentIntent of a pending order; the first one stored stays.

        Returns:
            The stored intent, or None when the order has ended.
        """
        stored = (
            sa.update(orders)
            .where(orders.c.order_id == order_id, PENDING)
            .values(payment_intent_id=sa.func.coalesce(_INTENT, intent_id))
            .returning(_INTENT)
        )
        with self._database.statement() as tx:
            return tx.execute(stored).scalar_one_or_none()

    def raise_attempt(self, order_id: str, attempt: int) -> None:
        """Number the next payment attempt, unless somebody did so already."""
        raised = (
            sa.update(orders)
            .where(orders.c.order_id == order_id, orders.c.payment_attempt == attempt)
            .values(payment_attempt=attempt + 1)
        )
        with self._database.statement() as tx:
            tx.execute(raised)

    def end(
        self, order: Order, status: Status, message: str, release: bool
    ) -> Ended | None:
        """End a pending order, and note what others must be told of it, or nothing.

        The monolith gave the stock back and wrote the notification in this very
        transaction. Those tables are elsewhere now; a note is what we can write.

        Args:
            order: as it was read.
            status: how it ends.
            message: what to tell its guest.
            release: whether stock may be held for it that it does not need any more.

        Returns:
            The ended order, or None when it has changed since it was read; then nothing
            is written.
        """
        ended = (
            sa.update(orders)
            .where(
                orders.c.order_id == order.order_id,
                PENDING,
                _INTENT.is_not_distinct_from(order.payment_intent_id),
            )
            .values(status=status, message=message, updated_at=now())
            .values(release_due=release, notify_due=True)
            .returning(*STORED, *LOOSE_ENDS)
        )
        with self._database.statement() as tx:
            row = tx.execute(ended).one_or_none()
        return _ended(row) if row else None

    def told(self, order_id: str, *, released: bool, notified: bool) -> None:
        """Take away the notes of what others have been told."""
        done = {"release_due": False} if released else {}
        done |= {"notify_due": False} if notified else {}
        if done:
            cleared = sa.update(orders).where(orders.c.order_id == order_id)
            with self._database.statement() as tx:
                tx.execute(cleared.values(done))

    def _lease(
        self, which: sa.ColumnElement[bool], order_id: sa.ColumnElement[str]
    ) -> sa.Row[Any] | None:
        leased = (
            sa.update(orders)
            .where(orders.c.order_id == order_id, which, orders.c.leased_until < now())
            .values(leased_until=after(self._lease_seconds))
            .returning(*STORED, *LOOSE_ENDS)
        )
        with self._database.statement() as tx:
            return tx.execute(leased).one_or_none()


PENDING = orders.c.status == Status.PENDING
LOOSE = sa.or_(orders.c.release_due, orders.c.notify_due)
_INTENT = orders.c.payment_intent_id


def _oldest(which: sa.ColumnElement[bool], since: dt.datetime) -> sa.ScalarSelect[str]:
    return (
        sa.select(orders.c.order_id)
        .where(which, orders.c.leased_until < since)
        .order_by(orders.c.leased_until)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )


def _order(row: sa.Row[Any]) -> Order:
    values = {name: getattr(row, name) for name in Order.__struct_fields__}
    return Order(**values | {"status": Status(values["status"])})


def _ended(row: sa.Row[Any]) -> Ended:
    loose = {column.name: getattr(row, column.name) for column in LOOSE_ENDS}
    return Ended(order=_order(row), **loose)


def _cursor(order: Order) -> str:
    micros = int(order.created_at.timestamp() * 1_000_000)
    return f"{micros}-{order.order_id}"


def _read_cursor(cursor: str) -> tuple[dt.datetime, str]:
    micros, _, order_id = cursor.partition("-")
    try:
        moment = dt.datetime.fromtimestamp(int(micros) / 1_000_000, dt.timezone.utc)
    except (ValueError, OverflowError, OSError) as error:
        raise Unprocessable(
            "cursor: this is not the nextCursor of a page. Start without one."
        ) from error
    return moment, order_id
