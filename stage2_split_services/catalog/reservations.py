"""Reservations: stock set aside for an order that another service keeps.

In the monolith this was a line of the transaction that wrote the order. Here it is a
conversation in which any message may be lost, come twice or come late, so each change
is one transaction under the order's id, and repeating it changes nothing.
"""

from enum import Enum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from . import internal
from .database import Database, now, products, reservations
from .errors import Unprocessable


class State(str, Enum):
    """Where a reservation is."""

    HELD = "held"
    REFUSED = "refused"
    RELEASED = "released"


class Reservations:
    """The reservations of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(
        self, order_id: str, wanted: internal.ReservationRequest
    ) -> internal.Reservation:
        """Set stock aside for an order, or refuse; the first answer stays.

        Of calls for one order at once, all but one wait for the first to commit. What
        was released is refused: the order has ended, and this call comes late.

        Raises:
            Unprocessable: the order reserved something else before.
        """
        with self._database.transaction() as tx:
            if self._write(tx, order_id, State.HELD, wanted):
                if _take(tx, wanted):
                    return _told(order_id, State.HELD)
                _change(tx, order_id, State.HELD, State.REFUSED)
                return _told(order_id, State.REFUSED)
            known = tx.execute(
                sa.select(reservations).where(reservations.c.order_id == order_id)
            ).one()
        asked = (wanted.product_id, wanted.quantity)
        if known.product_id and (known.product_id, known.quantity) != asked:
            raise Unprocessable(
                "This order reserved another product or quantity. Release that first; "
                "a new purchase has a new order."
            )
        return _told(order_id, State(known.state))

    def release(self, order_id: str) -> None:
        """Give back what an order holds, once, and never hold anything for it again."""
        with self._database.transaction() as tx:
            # Written first, so that a reservation that is on its way finds it there.
            if self._write(tx, order_id, State.RELEASED):
                return
            held = _change(tx, order_id, State.HELD, State.RELEASED)
            if held:
                _give_back(tx, held.product_id, held.quantity)

    @staticmethod
    def _write(
        tx: sa.Connection,
        order_id: str,
        state: State,
        wanted: internal.ReservationRequest | None = None,
    ) -> bool:
        """Write an order's reservation unless there is one."""
        written = (
            insert(reservations)
            .values(
                order_id=order_id,
                product_id=wanted and wanted.product_id,
                quantity=wanted and wanted.quantity,
                state=state,
                updated_at=now(),
            )
            .on_conflict_do_nothing(index_elements=["order_id"])
            .returning(reservations.c.order_id)
        )
        return tx.execute(written).one_or_none() is not None


def _change(
    tx: sa.Connection, order_id: str, before: State, state: State
) -> sa.Row[tuple[str, int]] | None:
    changed = (
        sa.update(reservations)
        .where(reservations.c.order_id == order_id, reservations.c.state == before)
        .values(state=state, updated_at=now())
        .returning(reservations.c.product_id, reservations.c.quantity)
    )
    return tx.execute(changed).one_or_none()


def _take(tx: sa.Connection, wanted: internal.ReservationRequest) -> bool:
    """Take some of a product out of the stock, if there is enough."""
    taken = (
        sa.update(products)
        .where(
            products.c.product_id == wanted.product_id,
            products.c.stock >= wanted.quantity,
        )
        .values(stock=products.c.stock - wanted.quantity)
    )
    return tx.execute(taken).rowcount == 1


def _give_back(tx: sa.Connection, product_id: str, quantity: int) -> None:
    tx.execute(
        sa.update(products)
        .where(products.c.product_id == product_id)
        .values(stock=products.c.stock + quantity)
    )


def _told(order_id: str, state: State) -> internal.Reservation:
    return internal.Reservation(
        order_id=order_id, state="held" if state is State.HELD else "refused"
    )
