"""A payment's intent and end are written without asking what state it is in."""

from types import ModuleType
from typing import Any

PROBE = "given_up_while_asleep"
CAUGHT_AS = "charged but not confirmed"


def plant(payment_store: ModuleType) -> None:
    """Let what a slow worker writes win over what happened meanwhile."""

    def remember_intent(self: Any, order_id: str, intent_id: str) -> str:
        self._table.change(
            order_id, "SET #payment_intent_id = :intent", intent=intent_id
        )
        return intent_id

    def end(self: Any, order: Any, status: Any, message: str, *, holds: bool) -> Any:
        item = self._table.change(
            order.order_id,
            "SET #status = :status, #message = :message, #holds = :holds",
            status=status.value,
            message=message,
            holds=holds,
        )
        return payment_store._payment(item)

    payment_store.PaymentStore.remember_intent = remember_intent
    payment_store.PaymentStore.end = end


PATCHES = {"payments.payment_store": plant}
