"""Those who have the tables and rooms, as the oracle and the drill see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import requests

TIMEOUT_SECONDS = 30
SUPPLIED = ("table-", "room-")
NOT_KEPT = "confirmed but no place is kept"
KEPT_FOR_NOTHING = "place kept for nobody"


class Suppliers:
    """Their sandbox.

    Args:
        url: where it is.
    """

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_sandbox"

    def break_down(self, **faults: Any) -> None:
        """Replace the faults; none heals it."""
        requests.put(
            f"{self._url}/faults", json=faults, timeout=TIMEOUT_SECONDS
        ).raise_for_status()

    def left_over(
        self, orders: Sequence[dict[str, Any]]
    ) -> Iterator[tuple[str, str, str]]:
        """Compare the bookings with how the orders ended."""
        states = self._states()
        for order in orders:
            order_id, status = order["orderId"], order["status"]
            state = states.get(order_id)
            supplied = order["productId"].startswith(SUPPLIED)
            if supplied and status == "confirmed" and state != "confirmed":
                yield NOT_KEPT, order_id, str(state)
            if status in ("declined", "failed") and state in ("held", "confirmed"):
                yield KEPT_FOR_NOTHING, order_id, f"{state}, {status}"

    def _states(self) -> dict[str, str]:
        got = requests.get(f"{self._url}/bookings", timeout=TIMEOUT_SECONDS)
        got.raise_for_status()
        every = got.json()["bookings"]
        return {booking["reference"]: booking["state"] for booking in every}
