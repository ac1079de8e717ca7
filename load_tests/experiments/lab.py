"""Where an experiment runs: stages of its own, on ports of its own, swept up after."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox.runner import RunningStage, started
from sandbox.runner.ports import assigned, check
from sandbox.runner.stages import STAGES
from sandbox.runner.state import RUN_ROOT, Places, read_state

# Far from a stage that somebody runs by hand (+0) or a test does (+50).
OFFSET = 500
LOCK = RUN_ROOT / "experiments" / "lock"
ELSEWHERE = "End what holds it, or let the experiment use other ports: OFFSET=600"


class BusyError(Exception):
    """Another experiment is under way; the message says which process it is."""


class Lab:
    """Starts stages for one experiment.

    Args:
        name: of the experiment.
        offset: of its ports from a stage's own: stage 1 is at 8100 and so many.
        say: hears how far it is.
    """

    def __init__(
        self, name: str, offset: int = OFFSET, say: Callable[[str], None] = print
    ) -> None:
        self.name = name
        self.say = say
        self._offset = offset

    def port_base(self, number: int) -> int:
        """Return the first port of a stage here; the hundred from there on are ours."""
        return STAGES[number].port_base + self._offset

    def run_name(self, number: int) -> str:
        """Return the name of a run of a stage here."""
        return f"experiment-{self.name}-stage{number}"

    @contextmanager
    def stage(
        self, number: int, env: Mapping[str, str] | None = None
    ) -> Iterator[RunningStage]:
        """Start a stage with empty databases; stop it, and remove them, at the end.

        When it fails, its data and logs stay for whoever wants to know why.

        Args:
            number: of the stage, 1 to 4.
            env: variables on top of this process's; "" unsets one.

        Raises:
            StartError: it did not come up.
        """
        name = self.run_name(number)
        self._sweep(name)
        self.say(f"starting stage {number} ...")
        with started(
            number, name=name, port_base=self.port_base(number), env=env or {}
        ) as running:
            yield running
        self._sweep(name)

    def check(self, stages: Sequence[int]) -> None:
        """Make sure that the ports of the stages are free.

        Raises:
            PortTakenError: one is not; the message says who holds it and what to do.
        """
        for number in stages:
            numbers = assigned(STAGES[number], self.port_base(number), {})
            check(numbers, ELSEWHERE)

    def sweep(self, stages: Sequence[int]) -> None:
        """Remove what runs of this experiment have left on the disk."""
        for number in stages:
            self._sweep(self.run_name(number))

    def _sweep(self, name: str) -> None:
        shutil.rmtree(RUN_ROOT / name, ignore_errors=True)


def running_beside() -> list[str]:
    """Return the stages that somebody runs by hand: they disturb what is measured."""
    names = [stage.name for stage in STAGES.values()]
    return [name for name in names if read_state(Places(RUN_ROOT, name))]


@contextmanager
def alone(lock: Path = LOCK) -> Iterator[None]:
    """Have no other experiment run meanwhile.

    Raises:
        BusyError: one does.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            raise BusyError(
                f"Another experiment is under way (pid {held.read()}). Wait until it "
                "ends, or end it with Ctrl-C in its terminal; then say this again."
            ) from None
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield
