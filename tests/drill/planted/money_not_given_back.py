"""Who paid for a table that was not kept gets an apology only."""

from types import ModuleType
from typing import Any

PROBE = "lapsed_table"
CAUGHT_AS = "charged but not confirmed"


def plant(refunds: ModuleType) -> None:
    """Keep it."""

    def give_back(self: Any, order: Any) -> None:
        return

    refunds.Refunds.give_back = give_back


PATCHES = {"payments.refunds": plant}
