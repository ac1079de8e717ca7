"""What is released before it was reserved leaves no mark behind."""

from types import ModuleType
from typing import Any

PROBE = "held_too_late"
CAUGHT_AS = "stock does not add up"


def plant(reservations: ModuleType) -> None:
    """Give back what is there, and forget that anybody asked."""
    release = reservations.Reservations.release

    def released(self: Any, order_id: str) -> None:
        if self._table.read(reservations.reservation_key(order_id)):
            release(self, order_id)

    reservations.Reservations.release = released


PATCHES = {"catalog.reservations": plant}
