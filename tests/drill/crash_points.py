"""Arming crash points of a running stage, and counting the kills."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STEP_SECONDS = 0.02


@dataclass(frozen=True)
class Shot:
    """An armed point."""

    armed: Path

    @property
    def fired(self) -> bool:
        """Whether a process has come by."""
        return not self.armed.exists()

    def wait(self, seconds: float) -> bool:
        """Wait until a process comes by, at most so long; tell whether one did."""
        deadline = time.monotonic() + seconds
        while not self.fired and time.monotonic() < deadline:
            time.sleep(STEP_SECONDS)
        return self.fired


class CrashPoints:
    """The crash points of a running stage, armed and fired through a shared folder.

    Args:
        folder: the folder that `inside/crash.py` looks into.
    """

    def __init__(self, folder: Path) -> None:
        self._armed = folder / "armed"
        self._fired = folder / "fired"
        self._taken: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        for part in (self._armed, self._fired):
            part.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def armed(self, point: str, sleep: float = 0.0) -> Iterator[Shot]:
        """Let the next process that reaches a point die there; disarm it at the end.

        Args:
            point: the actor, the name, `before` or `after`, joined by dots.
            sleep: for how many seconds it sleeps there instead of dying, if any.
        """
        with self._taken[point]:
            path = self._armed / point
            # Written first: who finds it finds all of it.
            draft = self._armed.parent / f"{point}.draft"
            draft.write_text(str(sleep))
            draft.rename(path)
            try:
                yield Shot(path)
            finally:
                path.unlink(missing_ok=True)

    def kills(self) -> list[str]:
        """The points where processes died, one for each kill."""
        return [told["point"] for told in self._told()]

    def inside_sending(self) -> set[str]:
        """The orders whose e-mail was being sent by a process that was killed."""
        return {order_id for told in self._told() for order_id in told["sending"]}

    def _told(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in self._fired.iterdir()]
