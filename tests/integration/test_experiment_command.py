"""An experiment that cannot run, or is stopped, says so and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from load_tests.experiments import lab
from sandbox.runner.ports import accepts
from sandbox.runner.state import RUN_ROOT

REPOSITORY = Path(__file__).resolve().parents[2]
# The smallest experiment that starts something, on ports of this test's own.
NAME, OFFSET = "split-tax", 740
PORT = 8100 + OFFSET
RUN = "experiment-split-tax-stage1"
PATIENCE_SECONDS = 60


@pytest.fixture
def command():
    return [
        *(sys.executable, "-m", "load_tests.experiments", NAME),
        *("--offset", str(OFFSET)),
    ]


def test_a_port_that_is_taken_is_told_before_anything_starts(command):
    with socket.create_server(("127.0.0.1", PORT)):
        done = subprocess.run(
            command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120
        )
    assert done.returncode == 1
    assert f"Port {PORT} " in done.stderr
    assert "OFFSET=600" in done.stderr
    assert "starting" not in done.stdout


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_it_finds_nothing_left(command, how):
    before = set(lab.LOCK.parent.glob(f"{NAME}-*"))
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as experiment:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not accepts(PORT) and experiment.poll() is None:
            assert time.monotonic() < deadline, "it does not start"
            time.sleep(0.1)
        experiment.send_signal(how)
        _, told = experiment.communicate(timeout=PATIENCE_SECONDS)
    assert experiment.returncode == 130, told
    assert "Interrupted" in told
    assert not accepts(PORT)
    assert not (RUN_ROOT / RUN).exists()
    assert not (RUN_ROOT / f"{RUN}.json").exists()
    assert set(lab.LOCK.parent.glob(f"{NAME}-*")) == before
