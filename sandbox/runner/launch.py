"""Run a stage from Python: `with started(1) as stage: ...`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .environment import without_systems
from .stages import REPOSITORY, STAGES, Stage
from .state import RUN_ROOT, Places, RunningStage, read_state

TEST_OFFSET = 50  # a stage that somebody runs by hand is not disturbed
STOP_SECONDS = 60.0
LAST_LINES = 40


class StartError(Exception):
    """A stage did not come up; the message ends with the runner's last lines."""


@contextmanager
def started(
    stage: int | Stage,
    *,
    name: str | None = None,
    port_base: int | None = None,
    env: Mapping[str, str] | None = None,
    run_root: Path = RUN_ROOT,
    patience: float | None = None,
) -> Iterator[RunningStage]:
    """Start a stage in a runner of its own, yield where it is, and stop it.

    The runner's output goes to `<run_root>/<name>/runner.log`. The stage stops, too,
    when the calling process is killed.

    Args:
        stage: a stage's number, or the description of one.
        name: the run's name; `stage1-test` for stage 1 unless given.
        port_base: its first port; 8150 for stage 1 unless given.
        env: variables on top of this process's environment, of which no database and
            no other system of the user's is taken; "" unsets one.
        run_root: the folder of the state file and the data.
        patience: seconds until it must be ready; the stage's own unless given.

    Raises:
        StartError: it did not become ready.
    """
    if isinstance(stage, int):
        stage = STAGES[stage]
    patience = patience or stage.patience
    places = Places(run_root.resolve(), name or f"{stage.name}-test")
    places.data.mkdir(parents=True, exist_ok=True)
    base = stage.port_base + TEST_OFFSET if port_base is None else port_base
    with tempfile.TemporaryDirectory() as folder:
        description = Path(folder) / "stage.json"
        description.write_text(stage.as_json(), encoding="utf-8")
        command = _command(description, places, base, patience)
        runner = _launch(command, places, env or {})
        try:
            yield _ready(runner, places, patience)
        finally:
            _stop(runner)


def _command(
    description: Path, places: Places, base: int, patience: float
) -> list[str]:
    runner = [sys.executable, "-m", "sandbox.runner", "run", str(description)]
    where = ["--name", places.name, "--run-root", str(places.root)]
    # The settings in somebody's .env must not decide what a test sees.
    settings = ["--env-file", os.devnull, "--until-stdin-closes"]
    numbers = ["--port-base", str(base), "--patience", str(patience)]
    return [*runner, *where, *settings, *numbers]


def _launch(
    command: list[str], places: Places, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(
        filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")])
    )
    with _log(places).open("wb") as log:
        return subprocess.Popen(  # noqa: S603 (our own words)
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Nor must a database or a Stripe account of somebody's be what it changes.
            env={**without_systems(os.environ), "PYTHONPATH": path, **env},
            start_new_session=True,  # Ctrl-C in the terminal ends the caller first
        )


def _ready(
    runner: subprocess.Popen[bytes], places: Places, patience: float
) -> RunningStage:
    deadline = time.monotonic() + patience + STOP_SECONDS
    while runner.poll() is None and time.monotonic() < deadline:
        running = read_state(places)
        if running and running.runner_pid == runner.pid:
            return running
        time.sleep(0.05)
    words = _log(places).read_text(encoding="utf-8", errors="replace").splitlines()
    last = "\n".join(words[-LAST_LINES:])
    raise StartError(f"{places.name} did not come up. The runner's last lines:\n{last}")


def _stop(runner: subprocess.Popen[bytes]) -> None:
    runner.terminate()
    try:
        runner.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        runner.kill()  # its guard ends the parts
        runner.communicate()


def _log(places: Places) -> Path:
    return places.data / "runner.log"
