"""Nobody sweeps: what a crash interrupted stays as it is."""

import threading
from types import ModuleType
from typing import Any

PROBE = "crash_after_paying"
CAUGHT_AS = "order forgotten"


def plant(sweep: ModuleType) -> None:
    """Never start."""

    def start(self: Any, every_seconds: float) -> threading.Event:
        return threading.Event()

    sweep.Sweep.start = start


PATCHES = dict.fromkeys(("concierge.sweep", "checkout.sweep"), plant)
