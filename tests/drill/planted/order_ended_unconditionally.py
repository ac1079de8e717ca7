"""An order's intent and end are written without asking what state the order is in."""

from types import ModuleType
from typing import Any

PROBE = "given_up_while_asleep"
CAUGHT_AS = "stock does not add up"


def plant(order_store: ModuleType) -> None:
    """Let what a slow worker writes win over what happened meanwhile."""
    ends = {order_store.MAIL, order_store.TEXT}

    def remember_intent(self: Any, order_id: str, intent_id: str) -> str:
        self._table.change(
            order_id, "SET #payment_intent_id = :intent", intent=intent_id
        )
        return intent_id

    def end(self: Any, order: Any, status: Any, message: str, release: bool) -> Any:
        item = self._table.change(
            order.order_id,
            "SET #status = :status, #message = :message, #open = :open, #loose = :ends",
            status=status.value,
            message=message,
            open=order_store.LOOSE,
            ends=ends | {order_store.RELEASE} if release else ends,
        )
        return order_store._ended(item)

    order_store.OrderStore.remember_intent = remember_intent
    order_store.OrderStore.end = end


PATCHES = {"checkout.order_store": plant}
