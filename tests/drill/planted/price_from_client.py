"""The checkout takes the price that the page sends along."""

from types import ModuleType
from typing import Any

import msgspec

PROBE = "own_price"
CAUGHT_AS = "wrong amount"


def plant_field(wire: ModuleType) -> None:
    """Let the body have a price, in dollars as on the product's card."""
    wire.CheckoutRequest = msgspec.defstruct(
        "CheckoutRequest",
        [("price", float | None, None)],
        bases=(wire.CheckoutRequest,),
        forbid_unknown_fields=True,
        rename="camel",
        kw_only=True,
    )


def plant_use(orders: ModuleType) -> None:
    """Believe it."""
    start = orders.start

    def cheaper(guest: Any, key: str, purchase: Any, product: Any, now: Any) -> Any:
        order = start(guest, key, purchase, product, now)
        if purchase.price is None:
            return order
        amount = round(purchase.price * 100) * purchase.quantity
        return msgspec.structs.replace(order, amount=amount)

    orders.start = cheaper


PATCHES = {
    "concierge.wire": plant_field,
    "concierge.orders": plant_use,
    "checkout.wire": plant_field,
    "checkout.orders": plant_use,
}
