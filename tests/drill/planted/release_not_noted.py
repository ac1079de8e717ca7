"""The stock is given back in the call, and nobody notes that it is still to be done."""

from types import ModuleType
from typing import Any

import msgspec

PROBE = "catalog_away_at_the_end"
CAUGHT_AS = "stock does not add up"


def plant(order_store: ModuleType) -> None:
    """Tell the caller of `end` to release, and write down that there is nothing due."""
    end = order_store.OrderStore.end

    def end_without_note(
        self: Any, order: Any, status: Any, message: str, release: bool
    ) -> Any:
        ended = end(self, order, status, message, False)
        return ended and msgspec.structs.replace(ended, release_due=release)

    order_store.OrderStore.end = end_without_note


PATCHES = {"checkout.order_store": plant}
