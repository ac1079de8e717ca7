"""Dying by SIGKILL at a crash point, when a file says so."""

from __future__ import annotations

import functools
import json
import os
import signal
import threading
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
        folder: `armed/<point>` in it arms a point, `fired/` tells what was killed.
    """

    def __init__(self, folder: Path) -> None:
        self._armed = folder / "armed"
        self._fired = folder / "fired"

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
        actor = "sweep" if threading.current_thread().name == "sweep" else "web"
        point = f"{actor}.{where}"
        if (self._armed / point).exists():
            # Whoever is in here dies, so nobody follows and no kill counts twice.
            with _dying:
                self._die(point)

    def _die(self, point: str) -> None:
        claimed = self._armed.parent / f"{point}-{os.getpid()}-{uuid.uuid4().hex}"
        try:
            # Whoever renames it has it: one arming kills one process.
            (self._armed / point).rename(claimed)
        except FileNotFoundError:
            return
        claimed.write_text(json.dumps({"point": point, "sending": sorted(_sending)}))
        claimed.rename(self._fired / claimed.name)
        os.kill(os.getpid(), signal.SIGKILL)


def watch_sending(send: Function) -> Function:
    """Note which order's e-mail is being sent; `watch_noting` ends it."""

    @functools.wraps(send)
    def watched(mailer: Any, message: Any) -> Any:
        _sending.add(message["X-Order-Id"])
        return send(mailer, message)

    return watched


def watch_noting(note: Function) -> Function:
    """Note that it is written down whether an order's e-mail was sent."""

    @functools.wraps(note)
    def watched(notifications: Any, key: dict[str, str], **values: Any) -> Any:
        try:
            return note(notifications, key, **values)
        finally:
            _sending.discard(key["order_id"])

    return watched
