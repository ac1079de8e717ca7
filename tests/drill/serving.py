"""The processes of a stage that serve: how they are started, and changed by a bug."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import requests

from sandbox.runner import RunningStage
from sandbox.runner.stages import REPOSITORY

INSIDE = Path(__file__).parent / "inside"


def environment(
    folder: Path,
    entries: Sequence[str],
    points: Mapping[str, str],
    constants: Mapping[str, float],
) -> dict[str, str]:
    """Return the variables to start a stage under drill with.

    Args:
        folder: shared with its processes.
        entries: the modules that only a serving process imports.
        points: its crash points, `{"create": "module:Class.method"}`.
        constants: of modules, so that waiting is short.
    """
    prepare(folder)
    return inside(folder, entries, points, constants) | {
        "NLU_ENGINE": "rules",
        "ORDER_LEASE_SECONDS": "1.5",
        "ORDER_GIVE_UP_SECONDS": "600",
        "SWEEP_SECONDS": "0.3",
        "STRIPE_TIMEOUT_SECONDS": "1",
        "LOG_LEVEL": "WARNING",
    }


def prepare(folder: Path) -> None:
    """Make the folder that the drill shares with a stage's processes."""
    (folder / "serving").mkdir(parents=True)
    (folder / "planted").write_text("")


def inside(
    folder: Path,
    entries: Sequence[str],
    points: Mapping[str, str],
    constants: Mapping[str, float],
) -> dict[str, str]:
    """Return the variables that let the drill into a process; see `inside/`."""
    return {
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(INSIDE)]),
        "DRILL_DIR": str(folder),
        "DRILL_ENTRIES": json.dumps(entries),
        "DRILL_POINTS": json.dumps(points),
        "DRILL_CONSTANTS": json.dumps(constants),
    }


def plant(
    stage: RunningStage, folder: Path, bug: str, health: Sequence[str] = ()
) -> None:
    """Restart the stage's serving processes with a bug in them, or with none ("").

    Args:
        stage: the running stage.
        folder: shared with its processes.
        bug: the name of a module of `planted`.
        health: addresses that must answer again; the site's own unless given.
    """
    (folder / "planted").write_text(bug)
    for process in psutil.Process(stage.runner_pid).children(recursive=True):
        # It may have died just now, of the bug before.
        with contextlib.suppress(psutil.NoSuchProcess):
            if _serves(process, folder):
                process.kill()
                process.wait(10)
    for url in health or [f"{stage.api_url}/health"]:
        wait_for_health(url)


def _serves(process: psutil.Process, folder: Path) -> bool:
    """Tell whether a process serves: it left a file with its number when it began to.

    One that was killed leaves its file behind, and its number may be another's now.
    """
    told = folder / "serving" / str(process.pid)
    return told.exists() and told.stat().st_mtime > process.create_time()


def wait_for_health(url: str, seconds: float = 30.0) -> None:
    """Wait until an address answers again.

    Raises:
        TimeoutError: it did not.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer again within {seconds} s")
