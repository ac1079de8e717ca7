"""The stages that are compared: started one after the other, all up until the end."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psutil

from load_tests import shelves
from load_tests.accounts import Account, sign_up_many
from sandbox.runner import RunningStage, started
from sandbox.runner.state import RUN_ROOT, Places, acquire, read_state

from . import processes

# Beside all that `make` and the tests use: stage 1's, the next a hundred further.
PORT_BASE, BETWEEN_PORTS = 9570, 100
# As shipped, whatever the shell of whoever compares says.
SETTINGS = {
    "NLU_ENGINE": "light",
    "LOG_LEVEL": "INFO",
    "REPLICAS": "",
    "WEB_CONCURRENCY": "",
    "WEB_THREADS": "",
}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Cores:
    """Who computes where.

    Attributes:
        measured: where the stage that is measured does, alone.
        others: where the generator and the stages that are not measured do.
    """

    measured: list[int]
    others: list[int]


@dataclass(frozen=True)
class Entry:
    """A stage that is to take part.

    Attributes:
        stage: its number.
        name: of its run.
        port_base: its first port.
        settings: of its environment.
    """

    stage: int
    name: str
    port_base: int
    settings: dict[str, str]


@dataclass(frozen=True)
class Candidate:
    """A stage that takes part.

    Attributes:
        running: where it is.
        accounts: of its guests.
        start_seconds: how long it took to come up, its first packing included.
    """

    running: RunningStage
    accounts: list[Account]
    start_seconds: float

    @property
    def runner(self) -> int:
        """The process whose children are the stage."""
        return self.running.runner_pid


def entry(stage: int, first_port: int) -> Entry:
    """Return a stage as it is compared.

    Args:
        stage: its number.
        first_port: of stage 1.
    """
    base = first_port + BETWEEN_PORTS * (stage - 1)
    return Entry(stage, f"compare-stage{stage}", base, SETTINGS)


@contextmanager
def up(
    entries: Mapping[int, Entry], guests: int, say: Say
) -> Iterator[dict[int, Candidate]]:
    """Start stages with empty databases and full shelves; stop them at the end.

    Args:
        entries: what to start, by numbers of the caller's.
        guests: how many sign up at each.
        say: hears how far it is.

    Raises:
        StartError: one did not come up: a port is taken, for one.
        AlreadyRunningError: another comparison has not ended.
    """
    found: dict[int, Candidate] = {}
    with ExitStack() as stack:
        for number, each in entries.items():
            say(f"starting {each.name}")
            began = time.monotonic()
            _clear(each.name)
            running = stack.enter_context(
                started(
                    each.stage,
                    name=each.name,
                    port_base=each.port_base,
                    env=each.settings,
                )
            )
            took = time.monotonic() - began
            accounts = sign_up_many(running, guests, lambda _: None)
            stack.enter_context(shelves.filled(running, accounts[0], lambda _: None))
            found[number] = Candidate(running, accounts, took)
            say(f"{each.name} is up after {took:.0f} s")
        yield found


def others_up() -> list[str]:
    """Return the names of stages that run here beside ours: they take CPU, too."""
    there = []
    for file in sorted(RUN_ROOT.glob("*.json")):
        running = read_state(Places(RUN_ROOT, file.stem))
        if running and not running.name.startswith("compare-"):
            there.append(running.name)
    return there


def shared_out() -> Cores | None:
    """Return one core for what is measured, the others for the rest.

    None where there is one core only, or the system cannot keep a process to some.
    """
    available = processes.cores()
    if len(available) < 2:
        return None
    return Cores(available[-1:], available[:-1])


def put_on(cores: Cores | None, there: dict[int, Candidate], measured: int) -> None:
    """Give the core to one stage, and send the others away."""
    if cores is None:
        return
    for number, candidate in there.items():
        if number != measured:
            processes.move(candidate.runner, cores.others)
    processes.move(there[measured].runner, cores.measured)


def used(there: Mapping[int, Candidate]) -> dict[int, float]:
    """Return the seconds of CPU that each stage has used since it was started."""
    return {
        number: sum(processes.cpu_seconds(candidate.runner).values())
        for number, candidate in there.items()
    }


def idle_shares(there: dict[int, Candidate], seconds: float) -> dict[int, float]:
    """Return how much of a core each stage uses while nobody comes."""
    before, began = used(there), time.monotonic()
    time.sleep(seconds)
    after, took = used(there), time.monotonic() - began
    return {number: (after[number] - before[number]) / took for number in there}


def workers(running: RunningStage) -> int:
    """Return how many gunicorn workers a stage has; none where it has functions."""
    found = 0
    for process, _ in processes.family(running.runner_pid):
        with contextlib.suppress(psutil.Error):
            above = process.parent()
            mine, its = _server(process), above and _server(above)
            found += bool(mine and its)
    return found


def _server(process: psutil.Process) -> bool:
    return any("gunicorn" in word for word in process.cmdline()[:2])


def _clear(name: str) -> None:
    places = Places(RUN_ROOT, name)
    acquire(places).close()
    shutil.rmtree(places.data, ignore_errors=True)
