"""The end of an order is written without asking what state it leaves."""

from types import ModuleType
from typing import Any

PROBE = "slow_declines"
CAUGHT_AS = "stock does not add up"


def plant(order_store: ModuleType) -> None:
    """Update by the key alone."""
    sa, orders = order_store.sa, order_store.orders

    def end(tx: Any, order: Any, status: Any, message: str) -> Any:
        ended = (
            sa.update(orders)
            .where(orders.c.order_id == order.order_id)
            .values(status=status, message=message, updated_at=order_store.now())
            .returning(*order_store.STORED)
        )
        row = tx.execute(ended).one()
        order_store.notifications.announce(tx, order.order_id, status)
        return order_store._order(row)

    order_store._end = end


PATCHES = {"concierge.order_store": plant}
