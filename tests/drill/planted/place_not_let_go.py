"""The supplier is not told that a table is not needed any more."""

from types import ModuleType
from typing import Any

PROBE = "declined_table"
CAUGHT_AS = "place kept for nobody"


def plant(supplier: ModuleType) -> None:
    """Forget it."""

    def release(self: Any, order_id: str) -> None:
        return

    supplier.Supplier.release = release


PATCHES = {"payments.supplier": plant}
