"""The stock is read, compared in Python, and written back."""

import time
from types import ModuleType
from typing import Any

PROBE = "rush"
CAUGHT_AS = "stock does not add up"
THINKING_SECONDS = 0.1


def plant(reservations: ModuleType) -> None:
    """Believe that nobody buys between the two calls."""
    hold = reservations.Reservations.hold

    def held(self: Any, order_id: str, wanted: Any) -> Any:
        key = reservations.product_key(wanted.product_id)
        known = self._table.read(reservations.reservation_key(order_id))
        stock = self._table.read(key)["stock"]
        if known or stock < wanted.quantity:
            return hold(self, order_id, wanted)
        time.sleep(THINKING_SECONDS)
        self._table.write(
            reservations._reservation(order_id, reservations.State.HELD, wanted)
        )
        self._table.change(key, "SET #stock = :left", left=stock - wanted.quantity)
        return reservations._told(order_id, reservations.State.HELD)

    reservations.Reservations.hold = held


PATCHES = {"catalog.reservations": plant}
