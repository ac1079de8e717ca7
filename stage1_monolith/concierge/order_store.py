"""Orders in the database. Each change of state is one conditional write."""

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET
from sqlalchemy.dialects.postgresql import insert

from . import catalog, notifications, wire
from .database import Database, after, now, orders
from .errors import NotFound, Unprocessable
from .orders import ORDER_ID, SOLD_OUT, Order, Status, view

STORED = [orders.c[name] for name in Order.__struct_fields__]


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

    def accept(self, order: Order) -> Order | None:
        """Write a new order and reserve its stock, in one transaction.

        The caller holds the lease on the order that it wrote. An order for more than
        there is ends at once.

        Returns:
            The order as written, or None when it was there already.
        """
        written = (
            insert(orders)
            .values(_row(order) | {"leased_until": after(self._lease_seconds)})
            .on_conflict_do_nothing(index_elements=["order_id"])
            .returning(orders.c.order_id)
        )
        with self._database.transaction() as tx:
            if tx.execute(written).one_or_none() is None:
                return None
            if catalog.reserve(tx, order.product_id, order.quantity):
                return order
            return _end(tx, order, Status.FAILED, SOLD_OUT)

    def lease(self, order_id: str) -> Order | None:
        """Take a pending order to work on, unless somebody else has it."""
        return self._lease(orders.c.order_id == order_id)

    def lease_abandoned(self, since: dt.datetime) -> Order | None:
        """Take any pending order whose lease ended before this moment."""
        oldest = (
            sa.select(orders.c.order_id)
            .where(orders.c.status == Status.PENDING, orders.c.leased_until < since)
            .order_by(orders.c.leased_until)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        return self._lease(orders.c.order_id == oldest.scalar_subquery())

    def let_go(self, order_id: str) -> None:
        """End the lease on an order that could not be finished now."""
        ended = (
            sa.update(orders)
            .where(orders.c.order_id == order_id, orders.c.status == Status.PENDING)
            .values(leased_until=now())
        )
        with self._database.statement() as tx:
            tx.execute(ended)

    def remember_intent(self, order_id: str, intent_id: str) -> str | None:
        """Store the PaymentIntent of a pending order; the first one stored stays.

        Returns:
            The stored intent, or None when the order has ended.
        """
        stored = (
            sa.update(orders)
            .where(orders.c.order_id == order_id, orders.c.status == Status.PENDING)
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

    def end(self, order: Order, status: Status, message: str) -> Order | None:
        """End a pending order: its state, its stock and its notification, or nothing.

        One database makes this one transaction. The later stages have no such thing.

        Returns:
            The ended order, or None when it has changed since it was read; then nothing
            is written.
        """
        with self._database.transaction() as tx:
            ended = _end(tx, order, status, message)
            if ended and status is not Status.CONFIRMED:
                catalog.give_back(tx, order.product_id, order.quantity)
        return ended

    def _lease(self, which: sa.ColumnElement[bool]) -> Order | None:
        leased = (
            sa.update(orders)
            .where(
                which,
                orders.c.status == Status.PENDING,
                orders.c.leased_until < now(),
            )
            .values(leased_until=after(self._lease_seconds))
            .returning(*STORED)
        )
        with self._database.statement() as tx:
            row = tx.execute(leased).one_or_none()
        return _order(row) if row else None


_INTENT = orders.c.payment_intent_id


def _end(tx: sa.Connection, order: Order, status: Status, message: str) -> Order | None:
    ended = (
        sa.update(orders)
        .where(
            orders.c.order_id == order.order_id,
            orders.c.status == Status.PENDING,
            _INTENT.is_not_distinct_from(order.payment_intent_id),
        )
        .values(status=status, message=message, updated_at=now())
        .returning(*STORED)
    )
    row = tx.execute(ended).one_or_none()
    if row is None:
        return None
    notifications.announce(tx, order.order_id, status)
    return _order(row)


def _row(order: Order) -> dict[str, Any]:
    return msgspec.structs.asdict(order)


def _order(row: sa.Row[Any]) -> Order:
    values = dict(row._mapping)
    return Order(**values | {"status": Status(values["status"])})


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
