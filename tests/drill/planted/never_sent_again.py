"""Nobody sends again what was written down and never sent."""

from types import ModuleType
from typing import Any

PROBE = "crash_after_accepting"
CAUGHT_AS = "order forgotten"


def plant(sweep: ModuleType) -> None:
    """Sweep nothing."""

    def once(self: Any, now: Any) -> int:
        return 0

    sweep.Sweep.once = once


PATCHES = {"checkout.sweep": plant}
