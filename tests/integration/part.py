"""A part of the sandbox as a process of its own, for tests that run no stage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from wait import free_ports, until, until_open


class Part:
    """A part that can be stopped and started again, on the same port and data.

    Args:
        name: of its module in `sandbox`.
        data: where it keeps them.
    """

    def __init__(self, name: str, data: Path) -> None:
        [self.port] = free_ports(1)
        place = ["--port", str(self.port), "--data", str(data)]
        self._command = [sys.executable, "-m", f"sandbox.{name}", *place]

    def start(self, **env: str) -> None:
        self.process = subprocess.Popen(self._command, env=os.environ | env)
        until_open(self.port, self.process)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, if it runs."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(timeout=20)


class Redis(Part):
    """A Redis and a client of it."""

    def __init__(self, data: Path) -> None:
        super().__init__("redis", data)
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url, socket_timeout=10)

    def start(self, **env: str) -> None:
        super().start(**env)
        until(self._answers, "Redis answers")

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.client.close()
        super().stop(number)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


@contextmanager
def running(part: Part) -> Iterator[Part]:
    """Run a part for the length of a block."""
    part.start()
    try:
        yield part
    finally:
        part.stop()
