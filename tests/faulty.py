"""Parts of the sandbox that can be told to go wrong, and what suppliers know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests

from sandbox.runner import RunningStage

TIMEOUT_SECONDS = 30
# From the port of the stage on.
SUPPLIERS_OFFSET = 40


class Faulty:
    """A part of the sandbox that can be told to go wrong.

    Args:
        url: where it is.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._faults = f"{url}/_sandbox/faults"

    @contextmanager
    def going_wrong(self, **faults: Any) -> Iterator[None]:
        """Let it go wrong in these ways inside the block."""
        self.break_down(**faults)
        try:
            yield
        finally:
            self.heal()

    def break_down(self, **faults: Any) -> None:
        """Let it go wrong in these ways, and no other, until it is healed."""
        self._call("PUT", json=faults)

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self._call("DELETE")

    def injected(self) -> int:
        """Return how many faults hit somebody since they were set."""
        return sum(self._call("GET").json()["injected"].values())

    def _call(self, method: str, **options: Any) -> requests.Response:
        answer = requests.request(
            method, self._faults, timeout=TIMEOUT_SECONDS, **options
        )
        answer.raise_for_status()
        return answer


class Suppliers(Faulty):
    """Those who have the tables and rooms of stage 4, as they stand in here.

    Args:
        stage: the running stage.
    """

    def __init__(self, stage: RunningStage) -> None:
        port = urlsplit(str(stage.aws_endpoint_url)).port or 0
        super().__init__(f"http://127.0.0.1:{port + SUPPLIERS_OFFSET}")

    def states(self) -> dict[str, str]:
        """Return how each booking stands, by its order."""
        got = requests.get(f"{self._url}/_sandbox/bookings", timeout=TIMEOUT_SECONDS)
        got.raise_for_status()
        every = got.json()["bookings"]
        return {booking["reference"]: booking["state"] for booking in every}
