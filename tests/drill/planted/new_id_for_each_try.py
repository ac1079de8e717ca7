"""Each try to reserve has an id of its own, instead of the order's."""

import uuid
from types import ModuleType
from typing import Any

import msgspec

PROBE = "lost_reservations"
CAUGHT_AS = "stock does not add up"


def plant(catalog: ModuleType) -> None:
    """Ask under the id of the order once, and under others when there is no answer."""

    def hold(self: Any, order: Any) -> bool:
        path = "/v1/internal/reservations/"
        wanted = catalog.ReservationRequest(
            product_id=order.product_id, quantity=order.quantity
        )
        order_id = order.order_id
        for left in (2, 1, 0):
            headers = catalog.as_service("checkout", "catalog", self._key)
            try:
                answer = self._callee.call(
                    "PUT", path + order_id, headers=headers, body=wanted, tries=1
                )
                return bool(answer.read(catalog.Reservation).state == "held")
            except catalog.Unavailable:
                if not left:
                    raise
                order_id = f"ord_{uuid.uuid4().hex[:24]}"
        raise AssertionError(msgspec.json.encode(wanted))

    catalog.Catalog.hold = hold


PATCHES = {"checkout.catalog": plant}
