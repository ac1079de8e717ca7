"""The figures of a comparison from its rounds. No input, no output, no clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from load_tests.intervals import Figure, mean, ratio

from .result import Result, StageResult, Turn
from .visits import BOUGHT, CHECKOUT, LIST, QUESTION

BASE = 1
# A generator that needs more of its core than this is what is measured.
BUSY_GENERATOR = 0.7
# A stage that leaves more of its core idle than this waits, and is not at its most.
IDLE_STAGE = 0.15
# More than this of a stage's own core for others disturbs what is measured.
DISTURBED = 0.05

Read = Callable[[Turn], float]

# Whose times are compared. Never those of all requests together: stage 4 makes more of
# the quick ones, for its guests ask how their order is.
LATENCIES = {
    "products": LIST,
    "question": QUESTION,
    "checkout": CHECKOUT,
    "bought": BOUGHT,
}


def _latency(kind: str, what: str) -> Read:
    def read(turn: Turn) -> float:
        times = turn.answers.get(kind)
        found: float = getattr(times, what) if times else 0.0
        return found

    return read


# What is read from each turn, and compared with stage 1's of the same round.
READS: dict[str, Read] = {
    "visits": lambda turn: turn.visits / turn.seconds,
    "requests": lambda turn: turn.requests / turn.seconds,
    "cpu a visit": lambda turn: 1000 * turn.cpu / turn.visits if turn.visits else 0.0,
    "cpu a request": lambda turn: (
        1000 * turn.cpu / turn.requests if turn.requests else 0.0
    ),
    "requests a visit": lambda turn: (
        turn.requests / turn.visits if turn.visits else 0.0
    ),
    **{f"p50 {name}": _latency(kind, "p50") for name, kind in LATENCIES.items()},
    **{f"p95 {name}": _latency(kind, "p95") for name, kind in LATENCIES.items()},
}


@dataclass(frozen=True)
class Summary:
    """The figures of a stage; CPU and times in milliseconds, memory in MiB.

    Attributes:
        figures: by the names of `READS`, the geometric means of the rounds.
        ratios: the same over stage 1's, round by round; empty without stage 1.
        cpu: of a visit, by what the processes are.
        errors: how many answers were wrong.
        asked: of so many.
        core_share: how much of its cores the stage used, 0 to 1, or of one core where
            it had none of its own.
        idle_share: how much of its cores nobody used; None where nobody looked.
        others_share: how much of its own cores other programs used, ours or not; None
            where it had none of its own, or nobody looked.
        generator_share: how much of a core the generator used at most.
        resident: RSS of all its processes.
        unique: USS of all its processes.
        processes: how many there are.
    """

    figures: dict[str, Figure]
    ratios: dict[str, Figure]
    cpu: dict[str, float]
    errors: int
    asked: int
    core_share: float
    idle_share: float | None
    others_share: float | None
    generator_share: float
    resident: float
    unique: float
    processes: int


def summaries(result: Result) -> dict[int, Summary]:
    """Return the figures of each stage that had at least one turn."""
    base = result.stages.get(BASE)
    return {
        number: _summary(stage, base if number != BASE else None, result.cores)
        for number, stage in sorted(result.stages.items())
    }


def _summary(stage: StageResult, base: StageResult | None, cores: int) -> Summary:
    turns = stage.turns
    seconds = sum(turn.seconds for turn in turns)
    visits = sum(turn.visits for turn in turns)
    parts: dict[str, float] = {}
    for turn in turns:
        for part, computed in turn.cpu_seconds.items():
            parts[part] = parts.get(part, 0.0) + computed
    used = sum(parts.values()) / seconds / max(1, cores)
    seen = [turn.idle * turn.seconds for turn in turns if turn.idle is not None]
    idle = sum(seen) / seconds if len(seen) == len(turns) else None
    return Summary(
        figures=_figures(turns),
        ratios=_ratios(turns, base.turns) if base else {},
        cpu={part: 1000 * cpu / visits for part, cpu in parts.items() if visits},
        errors=sum(sum(turn.errors.values()) for turn in turns),
        asked=sum(turn.requests for turn in turns),
        core_share=used,
        idle_share=idle,
        others_share=max(0.0, 1 - idle - used) if cores and idle is not None else None,
        generator_share=max(turn.generator_seconds / turn.seconds for turn in turns),
        resident=sum(held.resident for held in stage.memory),
        unique=sum(held.unique for held in stage.memory),
        processes=len(stage.memory),
    )


def _figures(turns: list[Turn]) -> dict[str, Figure]:
    found = {}
    for name, read in READS.items():
        each = [read(turn) for turn in turns]
        if min(each) > 0:
            found[name] = mean(each)
    return found


def _ratios(ours: list[Turn], theirs: list[Turn]) -> dict[str, Figure]:
    base = {turn.round: turn for turn in theirs}
    pairs = [(turn, base[turn.round]) for turn in ours if turn.round in base]
    found = {}
    for name, read in READS.items():
        both = [(read(mine), read(other)) for mine, other in pairs]
        if both and all(min(pair) > 0 for pair in both):
            found[name] = ratio(*zip(*both, strict=True))
    return found
