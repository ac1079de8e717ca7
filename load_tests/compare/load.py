"""What the generator is told, what it tells, and how it is started."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from load_tests.accounts import Account
from load_tests.bench.load import LoadError

# A guest who is in the middle of a visit finishes it; see `visits.py`.
FINISH_SECONDS = 90.0
START_SECONDS = 30.0
LONGEST_WARM_UP_SECONDS = 60.0


class Plan(msgspec.Struct, kw_only=True):
    """A closed loop: each guest makes one visit after the other, without a pause.

    Attributes:
        api_url: of the stage, ending in /v1.
        accounts: of the guests; as many guests as accounts.
        day: on which they want it, ISO 8601.
        warm_up_seconds: at first, which does not count; it goes on until each guest
            has made one visit.
        seconds: how long it is measured after that.
        runner: the process whose children are the stage.
        cores: that the generator keeps to; any where there are none.
        measured: the cores of the stage; all where there are none.
    """

    api_url: str
    accounts: list[Account]
    day: str
    warm_up_seconds: float
    seconds: float
    runner: int
    cores: list[int]
    measured: list[int] = []


class Measured(msgspec.Struct, kw_only=True):
    """What was seen.

    Attributes:
        seconds: how long it was measured.
        visits: how many were made; one that was partly within counts by that part.
        answers: how long each answer took, in seconds, by kind; those that came within.
        errors: what was not answered rightly, and how often, the warm-up's included.
        cpu_seconds: CPU time of the stage by what its processes are.
        generator_seconds: CPU time of the generator.
        idle: the share of the stage's cores in which nobody computed, 0 to 1.
        beside: CPU time of stages of ours that were up beside it, and idle; None where
            nobody looked.
    """

    seconds: float
    visits: float
    answers: dict[str, list[float]]
    errors: dict[str, int]
    cpu_seconds: dict[str, float]
    generator_seconds: float
    idle: float = 0.0
    beside: float | None = None


def measure(plan: Plan) -> Measured:
    """Make a load in a process of its own, which shares no interpreter with us.

    Raises:
        LoadError: the generator failed, or no visit came to its end.
    """
    began = subprocess.Popen(
        [sys.executable, "-m", "load_tests.compare.generator"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us, and we end it
    )
    warm_up = plan.warm_up_seconds + LONGEST_WARM_UP_SECONDS
    limit = START_SECONDS + warm_up + plan.seconds + FINISH_SECONDS
    try:
        told, _ = began.communicate(msgspec.json.encode(plan), timeout=limit)
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"the load did not end within {limit:.0f} s") from error
    finally:
        began.kill()
        began.wait()
    if began.returncode:
        raise LoadError(f"the load generator failed: exit status {began.returncode}")
    seen = msgspec.json.decode(told, type=Measured)
    if not seen.visits:
        first = next(iter(seen.errors), "measure for longer, or fewer guests")
        raise LoadError(f"no visit came to its end: {first}")
    return seen
