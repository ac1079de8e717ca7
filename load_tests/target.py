"""The running stage that a load goes to."""

from __future__ import annotations

from sandbox.runner import RunningStage
from sandbox.runner.state import RUN_ROOT, Places, read_state


class NotRunningError(Exception):
    """No such stage is up; the message says how to start it."""


def running(number: int, name: str | None = None) -> RunningStage:
    """Return where a stage runs, from its `.run/<name>.json`.

    Args:
        number: of the stage, 1 to 4.
        name: of its run; `stage1` for stage 1 unless given.

    Raises:
        NotRunningError: nothing runs under that name.
    """
    name = name or f"stage{number}"
    if found := read_state(Places(RUN_ROOT, name)):
        return found
    raise NotRunningError(
        f"{name} is not running, or not ready yet. Start it in another terminal and "
        f"leave it open: make run-stage STAGE={number}"
    )
