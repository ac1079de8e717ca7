"""An order's intent and end are written without asking what state the order is in."""

from types import ModuleType
from typing import Any

PROBE = "given_up_meanwhile"
CAUGHT_AS = "stock does not add up"


def plant(order_store: ModuleType) -> None:
    """Let what a slow worker writes win over what happened meanwhile."""
    sa, orders = order_store.sa, order_store.orders
    returned = (*order_store.STORED, *order_store.LOOSE_ENDS)

    def write(self: Any, order_id: str, **values: Any) -> Any:
        written = sa.update(orders).where(orders.c.order_id == order_id)
        with self._database.statement() as tx:
            return tx.execute(written.values(**values).returning(*returned)).one()

    def remember_intent(self: Any, order_id: str, intent_id: str) -> str:
        write(self, order_id, payment_intent_id=intent_id)
        return intent_id

    def end(self: Any, order: Any, status: Any, message: str, release: bool) -> Any:
        values = {"status": status, "message": message, "release_due": release}
        ended = write(self, order.order_id, notify_due=True, **values)
        return order_store._ended(ended)

    order_store.OrderStore.remember_intent = remember_intent
    order_store.OrderStore.end = end


PATCHES = {"checkout.order_store": plant}
