"""What is released before it was reserved leaves no mark behind."""

from types import ModuleType
from typing import Any

PROBE = "late_reservation"
CAUGHT_AS = "stock does not add up"


def plant(reservations: ModuleType) -> None:
    """Give back what is there, and forget that anybody asked."""
    held, released = reservations.State.HELD, reservations.State.RELEASED

    def release(self: Any, order_id: str) -> None:
        with self._database.transaction() as tx:
            found = reservations._change(tx, order_id, held, released)
            if found:
                reservations._give_back(tx, found.product_id, found.quantity)

    reservations.Reservations.release = release


PATCHES = {"catalog.reservations": plant}
