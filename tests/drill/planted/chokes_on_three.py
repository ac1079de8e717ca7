"""Payments fails on whatever is ordered three at a time: poison, until it is mended."""

from types import ModuleType
from typing import Any

THREE = 3


def plant(charging: ModuleType) -> None:
    """Fail in the middle of it."""
    settle = charging.Charging.settle

    def choke(self: Any, asked: Any, now: Any) -> None:
        if asked.order.quantity == THREE:
            raise ValueError("This is poison.")
        settle(self, asked, now)

    charging.Charging.settle = choke


PATCHES = {"payments.charging": plant}
