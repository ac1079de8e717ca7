"""The stock is read, compared in Python, and written back."""

from types import ModuleType
from typing import Any

PROBE = "rush"
CAUGHT_AS = "stock does not add up"


def plant(catalog: ModuleType) -> None:
    """Believe that nobody buys between the two statements."""
    sa, products = catalog.sa, catalog.products

    def reserve(tx: Any, product_id: str, quantity: int) -> bool:
        this = products.c.product_id == product_id
        stock = tx.execute(sa.select(products.c.stock).where(this)).scalar_one()
        if stock < quantity:
            return False
        tx.execute(sa.update(products).where(this).values(stock=stock - quantity))
        return True

    catalog.reserve = reserve


PATCHES = {"concierge.catalog": plant}
