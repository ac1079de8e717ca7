"""The checkout thanks the guest at once and charges the card afterwards."""

import threading
from types import ModuleType
from typing import Any

import msgspec

PROBE = "slow_declines"
CAUGHT_AS = "told otherwise"


def plant(checkout: ModuleType) -> None:
    """Leave the work to a thread."""
    finish_in_call = checkout.Checkout._finish_in_call

    def thank(self: Any, order: Any) -> Any:
        if order.final:
            return finish_in_call(self, order)
        threading.Thread(target=finish_in_call, args=(self, order)).start()
        return msgspec.structs.replace(
            order, status=checkout.Status.CONFIRMED, message=checkout.CONFIRMED
        )

    checkout.Checkout._finish_in_call = thank


PATCHES = dict.fromkeys(("concierge.checkout", "checkout.checkout"), plant)
