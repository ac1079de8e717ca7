"""What the command tells the Locust processes, in a file of the user's own."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from load_tests.accounts import Account
from sandbox.runner import RunningStage

VARIABLE = "JOURNEYS_PLAN"


class Plan(msgspec.Struct, kw_only=True):
    """A load.

    Attributes:
        stage: where it goes to.
        shape: one of `shapes.SHAPES`; empty when Locust's page decides.
        users: the most at a time.
        seconds: how long.
        think_seconds: what a guest thinks on the average between two actions.
        sign_up: whether guests sign up as a part of the load.
        processes: so many Locust processes share the accounts.
        accounts: those that signed up before.
        folder: for what was measured.
    """

    stage: RunningStage
    shape: str
    users: int
    seconds: float
    think_seconds: float
    sign_up: bool
    processes: int
    accounts: list[Account]
    folder: str


def write(plan: Plan, path: Path) -> None:
    """Write a plan; it holds the guests' tokens."""
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(plan))


def current() -> Plan:
    """Return the plan of this process.

    Raises:
        RuntimeError: Locust was started without one.
    """
    if path := os.environ.get(VARIABLE):
        return msgspec.json.decode(Path(path).read_bytes(), type=Plan)
    raise RuntimeError("Start Locust by `make load` or `make load-ui`, not by itself.")
