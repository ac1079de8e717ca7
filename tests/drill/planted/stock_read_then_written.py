"""The stock is read, compared in Python, and written back."""

from types import ModuleType
from typing import Any

PROBE = "rush"
CAUGHT_AS = "stock does not add up"


def plant(catalog: ModuleType) -> None:
    """Believe that nobody buys between the two statements."""

    def reserve(tx: Any, product_id: str, quantity: int) -> bool:
        return _take(catalog, tx, product_id, quantity)

    catalog.reserve = reserve


def plant_in_service(reservations: ModuleType) -> None:
    """Believe the same where the stock is another service's."""

    def take(tx: Any, wanted: Any) -> bool:
        return _take(reservations, tx, wanted.product_id, wanted.quantity)

    reservations._take = take


def _take(module: Any, tx: Any, product_id: str, quantity: int) -> bool:
    sa, products = module.sa, module.products
    this = products.c.product_id == product_id
    stock = tx.execute(sa.select(products.c.stock).where(this)).scalar_one()
    if stock < quantity:
        return False
    tx.execute(sa.update(products).where(this).values(stock=stock - quantity))
    return True


PATCHES = {"concierge.catalog": plant, "catalog.reservations": plant_in_service}
