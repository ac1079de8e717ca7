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
STEP_SECONDS = 0.05


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
        end_group(group, grace, hurry)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in marked(mark):
            _signal_one(process, number)
        _wait(lambda: bool(marked(mark)), grace, hurry)


def end_group(
    group: int, grace: float, hurry: Callable[[], bool] = lambda: False
) -> None:
    """End one process group.

    Args:
        group: its id.
        grace: seconds between SIGTERM and SIGKILL.
        hurry: tells whether to send SIGKILL at once.
    """
    end_together([group], grace, hurry)


def end_together(
    groups: Sequence[int], grace: float, hurry: Callable[[], bool] = lambda: False
) -> None:
    """End process groups that do not need one another, all at the same time.

    Args:
        groups: their ids.
        grace: seconds between SIGTERM and SIGKILL for all of them.
        hurry: tells whether to send SIGKILL at once.
    """
    for group in groups:
        _signal(group, signal.SIGTERM)
    _wait(lambda: any(map(is_alive, groups)), grace, hurry)
    for group in groups:
        _signal(group, signal.SIGKILL)


def _wait(
    goes_on: Callable[[], bool], seconds: float, hurry: Callable[[], bool]
) -> None:
    deadline = time.monotonic() + seconds
    while goes_on() and time.monotonic() < deadline and not hurry():
        time.sleep(STEP_SECONDS)


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes whose environment bears a run's mark."""
    return [process for process in psutil.process_iter() if _bears(process, mark)]


def is_alive(group: int) -> bool:
    """Tell whether a process group has a member other than zombies."""
    return any(_group(pid) == group and lives(pid) for pid in psutil.pids())


def lives(pid: int) -> bool:
    """Tell whether a process is there and is not a zombie.

    An orphan stays a zombie until the system's first process reaps it, which takes
    seconds in some containers.
    """
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def _bears(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False


def _signal(group: int, number: signal.Signals) -> None:
    try:  # macOS denies signals to a group of zombies
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def _signal_one(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return
