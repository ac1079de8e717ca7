"""The rounds: the stages in turn, in another order each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from load_tests.bench.load import LoadError

from .load import Measured
from .processes import Held

Say = Callable[[str], None]
Thing = TypeVar("Thing")


@dataclass
class Seen:
    """What was measured up to now, by stage: number of the round, and figures."""

    turns: dict[int, list[tuple[int, Measured]]] = field(default_factory=dict)
    memory: dict[int, list[Held]] = field(default_factory=dict)
    interrupted: bool = False
    failed: str = ""


def order(those: Sequence[Thing], number: int) -> list[Thing]:
    """Return in which order things have their turns in a round.

    In as many rounds as there are things each has every place once (where their number
    is odd, twice in twice as many), and in these rounds each comes right after each
    other one equally often: what one leaves behind does not always meet the same one.
    Source:
    E. J. Williams, "Experimental designs balanced for the estimation of residual
    effects of treatments", Australian Journal of Scientific Research A 2 (1949).

    Args:
        those: stages, or loads.
        number: of the round, from 1.
    """
    count = len(those)
    # 0, 1, n-1, 2, n-2, ...: no two neighbours are as far apart as two others.
    first = [(at + 1) // 2 if at % 2 else -at // 2 % count for at in range(count)]
    again, shift = divmod(number - 1, count)
    turns = [those[(place + shift) % count] for place in first]
    return turns[::-1] if count % 2 and again % 2 else turns


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
