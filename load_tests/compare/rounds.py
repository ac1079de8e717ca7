"""The rounds: the stages in turn, another one first each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from load_tests.bench.load import LoadError

from .load import Measured
from .processes import Held

Say = Callable[[str], None]


@dataclass
class Seen:
    """What was measured up to now, by stage: number of the round, and figures."""

    turns: dict[int, list[tuple[int, Measured]]] = field(default_factory=dict)
    memory: dict[int, list[Held]] = field(default_factory=dict)
    interrupted: bool = False
    failed: str = ""


def order(stages: Sequence[int], number: int) -> list[int]:
    """Return in which order the stages have their turns in a round.

    Each is first in as many rounds as the others, so that none is always measured right
    after the same one.

    Args:
        stages: their numbers.
        number: of the round, from 1.
    """
    first = (number - 1) % len(stages)
    return [*stages[first:], *stages[:first]]


def measure(
    stages: Sequence[int],
    rounds: int,
    load: Callable[[int], Measured],
    memory: Callable[[int], list[Held]],
    say: Say,
) -> Seen:
    """Measure round by round; Ctrl-C, or a load that fails, keeps what there is.

    Args:
        stages: their numbers.
        rounds: how often each has its turn.
        load: puts a stage under load.
        memory: looks at its processes, right after that.
        say: hears how far it is.
    """
    seen = Seen()
    try:
        for stage in stages:
            # It starts what is started late: functions, pools of connections.
            load(stage)
        say("each had a turn that does not count")
        for number in range(1, rounds + 1):
            told = []
            for stage in order(stages, number):
                measured = load(stage)
                seen.turns.setdefault(stage, []).append((number, measured))
                seen.memory[stage] = memory(stage)
                rate = measured.visits / measured.seconds
                told.append(f"stage {stage} {rate:.2f}{_errors(measured)}")
            say(f"round {number} of {rounds}, visits/s: {', '.join(told)}")
    except KeyboardInterrupt:
        seen.interrupted = True
        say("Ended early; what was measured is reported.")
    except LoadError as error:
        seen.failed = str(error)
        say(f"Ended early: {error}")
    return seen


def _errors(measured: Measured) -> str:
    wrong = sum(measured.errors.values())
    return f" ({wrong} wrong)" if wrong else ""
