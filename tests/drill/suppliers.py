"""Those who have the tables and rooms, as the oracle sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tests.faulty import Suppliers

SUPPLIED = ("table-", "room-")
NOT_KEPT = "confirmed but no place is kept"
KEPT_FOR_NOTHING = "place kept for nobody"


def left_over(
    suppliers: Suppliers, orders: Sequence[dict[str, Any]]
) -> Iterator[tuple[str, str, str]]:
    """Compare the bookings with how the orders ended."""
    states = suppliers.states()
    for order in orders:
        order_id, status = order["orderId"], order["status"]
        state = states.get(order_id)
        supplied = order["productId"].startswith(SUPPLIED)
        if supplied and status == "confirmed" and state != "confirmed":
            yield NOT_KEPT, order_id, str(state)
        if status in ("declined", "failed") and state in ("held", "confirmed"):
            yield KEPT_FOR_NOTHING, order_id, f"{state}, {status}"
