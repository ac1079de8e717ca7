"""Dying by SIGKILL at a crash point, or sleeping there, when a file says so."""

from __future__ import annotations

import functools
import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

Function = Callable[..., Any]

# Orders whose e-mail may or may not have left this process: a kill now may double it.
_sending: set[str] = set()
_dying = threading.Lock()


class Crash:
    """The crash points of one process.

    Args:
        folder: `armed/<point>` in it arms a point, and has the seconds that the process
            is to sleep there instead, if any; `fired/` tells what was killed.
        actor: whose points they are; `sweep` or `web` by the thread, unless given.
    """

    def __init__(self, folder: Path, actor: str | None = None) -> None:
        self._armed = folder / "armed"
        self._fired = folder / "fired"
        self._actor = actor

    def wrap(
        self,
        module: ModuleType,
        path: str,
        point: str,
        watch: Callable[[Function], Function] | None = None,
    ) -> None:
        """Put a crash point before and one after a function.

        Args:
            module: where the function is.
            path: its name, with its class.
            point: what the drill calls it.
            watch: what else to do around the function, between the two points.
        """
        *classes, name = path.split(".")
        owner: Any = functools.reduce(getattr, classes, module)
        function = getattr(owner, name)
        if watch:
            function = watch(function)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self._reach(f"{point}.before")
            try:
                return function(*args, **kwargs)
            finally:
                self._reach(f"{point}.after")

        setattr(owner, name, wrapped)

    def _reach(self, where: str) -> None:
        swept = threading.current_thread().name == "sweep"
        point = f"{self._actor or ('sweep' if swept else 'web')}.{where}"
        if (self._armed / point).exists():
            # Whoever is in here dies, so nobody follows and no kill counts twice.
            with _dying:
                seconds = self._die(point)
            time.sleep(seconds)

    def _die(self, point: str) -> float:
        claimed = self._armed.parent / f"{point}-{os.getpid()}-{uuid.uuid4().hex}"
        try:
            # Whoever renames it has it: one arming kills one process.
            (self._armed / point).rename(claimed)
        except FileNotFoundError:
            return 0.0
        if seconds := float(claimed.read_text() or 0):
            claimed.unlink()
            return seconds
        claimed.write_text(json.dumps({"point": point, "sending": sorted(_sending)}))
        claimed.rename(self._fired / claimed.name)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0.0


def watch_sending(send: Function) -> Function:
    """Note which order's e-mail is being sent; `watch_noting` ends it."""

    @functools.wraps(send)
    def watched(mailer: Any, said: Any, *more: Any) -> Any:
        _sending.add(_order_of(said))
        return send(mailer, said, *more)

    return watched


def watch_noting(note: Function) -> Function:
    """Note that it is written down whether an order's e-mail was sent."""

    @functools.wraps(note)
    def watched(notifications: Any, key: Any, *more: Any, **values: Any) -> Any:
        try:
            return note(notifications, key, *more, **values)
        finally:
            _sending.discard(_order_of(key))

    return watched


def _order_of(said: Any) -> str:
    """Name the order of a letter, of an event or an order, or of a notice's key."""
    if isinstance(said, dict):
        return str(said["order_id"])
    if isinstance(said, str):
        return said.partition("#")[0]
    order = getattr(said, "order", said)
    return str(getattr(order, "order_id", None) or said["X-Order-Id"])
