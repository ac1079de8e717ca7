"""Reservations: stock set aside for an order that another service keeps.

A conversation in which any message may be lost, come twice or come late, so each change
is one write under the order's id, and repeating it changes nothing. Where stock moves
it is a transaction over two items, and there is no third: DynamoDB asks for every
condition at once, and tells which did not hold.
"""

import datetime as dt
from enum import Enum

from . import internal
from .catalog import product_key
from .database import Item, Table
from .errors import Unprocessable


class State(str, Enum):
    """Where a reservation is."""

    HELD = "held"
    REFUSED = "refused"
    RELEASED = "released"


class Reservations:
    """The reservations of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def hold(
        self, order_id: str, wanted: internal.ReservationRequest
    ) -> internal.Reservation:
        """Set stock aside for an order, or refuse; the first answer stays.

        Of calls for one order at once, one is the first. What was released is refused:
        the order has ended, and this call comes late.

        Raises:
            Unprocessable: the order reserved something else before.
        """
        failed = self._table.together(
            self._table.new(_reservation(order_id, State.HELD, wanted)),
            self._table.changing(
                product_key(wanted.product_id),
                "SET #stock = #stock - :quantity",
                "#stock >= :quantity",
                quantity=wanted.quantity,
            ),
        )
        if failed is None:
            return _told(order_id, State.HELD)
        # There is one already, or else there is not enough, and that is written down.
        known = self._table.write_new(_reservation(order_id, State.REFUSED, wanted))
        if known is None:
            return _told(order_id, State.REFUSED)
        asked = (wanted.product_id, wanted.quantity)
        if "product_id" in known and (known["product_id"], known["quantity"]) != asked:
            raise Unprocessable(
                "This order reserved another product or quantity. Release that first; "
                "a new purchase has a new order."
            )
        return _told(order_id, State(known["state"]))

    def release(self, order_id: str) -> None:
        """Give back what an order holds, once, and never hold anything for it again."""
        # Written first, so that a reservation that is on its way finds it there.
        known = self._table.write_new(_reservation(order_id, State.RELEASED))
        if known is None or known["state"] != State.HELD:
            return
        # Whoever comes second finds that it is not held any more.
        self._table.together(
            self._table.changing(
                reservation_key(order_id),
                "SET #state = :released, #updated_at = :now",
                "#state = :held",
                held=State.HELD.value,
                released=State.RELEASED.value,
                now=_now(),
            ),
            self._table.changing(
                product_key(known["product_id"]),
                "SET #stock = #stock + :quantity",
                quantity=known["quantity"],
            ),
        )


def reservation_key(order_id: str) -> str:
    """Return the key of a reservation's item."""
    return f"reservation#{order_id}"


def _reservation(
    order_id: str, state: State, wanted: internal.ReservationRequest | None = None
) -> Item:
    """Make an item; what is released unreserved is a reservation of nothing."""
    item: Item = {
        "pk": reservation_key(order_id),
        "order_id": order_id,
        "state": state.value,
        "updated_at": _now(),
    }
    if wanted:
        item |= {"product_id": wanted.product_id, "quantity": wanted.quantity}
    return item


def _now() -> str:
    return dt.datetime.now(dt.timezone.utc).isoformat()


def _told(order_id: str, state: State) -> internal.Reservation:
    return internal.Reservation(
        order_id=order_id, state="held" if state is State.HELD else "refused"
    )
