"""How a service fails here: stopped, killed, hung or slow; and how it comes back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from load_tests import gateway
from sandbox.nginx import upstreams
from sandbox.runner import RunningStage, StartError
from sandbox.runner.state import RUN_ROOT, Places, RunningReplica, read_state

from .slow_line import SlowLine

SLOW_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
INTERNAL_OFFSET = 6
# nginx starts new workers a little before it stops the old ones from taking requests.
SETTLE_SECONDS = 1.0


def stopped(stage: RunningStage, service: str) -> AbstractContextManager[None]:
    """Have a service end as it does when it is asked to."""
    return _ended(stage, service, signal.SIGTERM)


def killed(stage: RunningStage, service: str) -> AbstractContextManager[None]:
    """Have every process of a service die at once."""
    return _ended(stage, service, signal.SIGKILL)


@contextmanager
def hung(stage: RunningStage, service: str) -> Iterator[None]:
    """Have a service take connections and answer none."""
    group = _replica(stage, service)["group"]
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


@contextmanager
def slow(stage: RunningStage, service: str) -> Iterator[None]:
    """Have each answer of a service come late, by a line between it and the gateway."""
    places = RUN_ROOT / stage.name / "upstreams.json"
    usual = upstreams.read(places)
    line = SlowLine(_port(_replica(stage, service)["url"]), SLOW_SECONDS)
    try:
        # A version that the runner will not come to.
        version = usual.version + 1_000_000
        changed = replace(
            usual, version=version, ports={**usual.ports, service: [line.port]}
        )
        _tell(stage, changed)
        yield
    finally:
        _tell(stage, usual)
        line.close()


FAILURES: dict[str, Callable[[RunningStage, str], AbstractContextManager[None]]] = {
    "stopped": stopped,
    "killed": killed,
    "hung": hung,
    "slow": slow,
}


@contextmanager
def _ended(stage: RunningStage, service: str, how: signal.Signals) -> Iterator[None]:
    replica = _replica(stage, service)
    os.killpg(replica["group"], how)
    _until(lambda: not _listens(_port(replica["url"])), f"{service} has ended")
    try:
        yield
    finally:
        _start_again(stage, service)


def _start_again(stage: RunningStage, service: str) -> None:
    program = [sys.executable, "-m", "sandbox.runner", "restart", str(stage.stage)]
    options = ["--name", stage.name, "--patience", f"{PATIENCE_SECONDS:g}"]
    done = subprocess.run(  # noqa: S603 (our own words)
        [*program, service, *options],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
    )
    if done.returncode:
        raise StartError(f"{service} did not come back: {done.stderr}")


def _tell(stage: RunningStage, found: upstreams.Upstreams) -> None:
    place = RUN_ROOT / stage.name / "upstreams.json"
    port = _port(stage.site_url) + INTERNAL_OFFSET
    gateway.follow(place, found, port, PATIENCE_SECONDS)
    time.sleep(SETTLE_SECONDS)


def _replica(stage: RunningStage, service: str) -> RunningReplica:
    # As it is now: a restart gave it another process group.
    running = read_state(Places(RUN_ROOT, stage.name))
    if running is None:
        raise StartError(f"{stage.name} does not run any more.")
    [replica] = running.services[service]
    return replica


def _port(url: str) -> int:
    return urlsplit(url).port or 80


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        return False
    return True


def _until(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        if time.monotonic() > deadline:
            raise StartError(f"Not within {PATIENCE_SECONDS:g} s: {what}.")
        time.sleep(0.1)
