"""End processes: politely, in order, within a bound, and without leaving any."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence

import psutil

# Every part inherits this variable, so that a process which left its group (a daemon,
# a session of its own) is still known as one of this run.
MARK = "SANDBOX_RUN_MARK"


def end_run(
    groups: Sequence[int],
    mark: str,
    grace: float,
    hurry: Callable[[], bool] = lambda: False,
) -> None:
    """End process groups one after the other, then whatever else bears the mark.

    Args:
        groups: ids of process groups, the first to end first.
        mark: the value of `MARK` in the environment of the run's processes.
        grace: seconds between SIGTERM and SIGKILL for each group.
        hurry: tells whether to send SIGKILL at once; a signal handler may turn it.
    """
    for group in groups:
        _signal(group, signal.SIGTERM)
        deadline = time.monotonic() + grace
        while is_alive(group) and time.monotonic() < deadline and not hurry():
            time.sleep(0.02)
        _signal(group, signal.SIGKILL)
    strays = marked(mark)
    for process in strays:
        _quietly(process.terminate)
    _, alive = psutil.wait_procs(strays, timeout=0 if hurry() else grace)
    for process in alive:
        _quietly(process.kill)
    psutil.wait_procs(alive, timeout=1)


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes whose environment bears a run's mark."""
    return [process for process in psutil.process_iter() if _bears(process, mark)]


def is_alive(group: int) -> bool:
    """Tell whether a process group has a member (macOS denies it for zombies)."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _bears(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def _quietly(action: Callable[[], None]) -> None:
    try:
        action()
    except psutil.Error:
        return
