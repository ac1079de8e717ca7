"""What a comparison leaves behind, as it is written to `result.json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from .load import Measured
from .processes import Held
from .visits import BOUGHT

ALL = "all requests"
# Where the curve of latencies is drawn through.
CURVE = (1, 5, *range(10, 90, 5), 90, 92.5, 95, 97, 98, 99, 99.5, 100)


class Times(msgspec.Struct, kw_only=True):
    """How long answers took, in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    longest: float


class Turn(msgspec.Struct, kw_only=True):
    """One stage in one round.

    Attributes:
        round: its number, from 1.
        seconds: how long it was measured.
        visits: how many were made in that time.
        answers: how long they took, by kind, and of all requests.
        errors: what was wrong, and how often.
        cpu_seconds: of the stage, by what its processes are.
        generator_seconds: CPU time of the generator.
        idle: the share of the stage's cores in which nobody computed, 0 to 1; None
            in a result that did not look.
    """

    round: int
    seconds: float
    visits: float
    answers: dict[str, Times]
    errors: dict[str, int]
    cpu_seconds: dict[str, float]
    generator_seconds: float
    idle: float | None = None

    @property
    def requests(self) -> int:
        """How many answers came in that time."""
        return self.answers[ALL].count if ALL in self.answers else 0

    @property
    def cpu(self) -> float:
        """CPU seconds of the whole stage."""
        return sum(self.cpu_seconds.values())


class StageResult(msgspec.Struct, kw_only=True):
    """What was seen of a stage.

    Attributes:
        turns: one of each round.
        pooled: how long answers took in all rounds together, by kind.
        curve: percentiles of the time from checkout until confirmed, of all rounds:
            percent and milliseconds.
        memory: of each of its processes after its last turn.
        workers: of gunicorn; 0 where there are functions instead.
        start_seconds: how long it took to come up.
        idle_share: how much of a core it used while nobody came.
    """

    turns: list[Turn]
    pooled: dict[str, Times]
    curve: list[tuple[float, float]]
    memory: list[Held]
    workers: int
    start_seconds: float
    idle_share: float


class Result(msgspec.Struct, kw_only=True):
    """A comparison.

    Attributes:
        machine: where and when, and of which commit.
        guests: at a time, at each stage.
        seconds: of each turn, after the warm-up.
        warm_up_seconds: of each turn.
        rounds: how many were asked for.
        cores: for the stage that is measured; 0 where it shared all of them.
        took_seconds: all of it, the starts included.
        interrupted: whether somebody ended it early.
        beside: other stages that ran meanwhile.
        stages: by number.
    """

    machine: dict[str, str]
    guests: int
    seconds: float
    warm_up_seconds: float
    rounds: int
    cores: int
    took_seconds: float
    interrupted: bool
    beside: list[str]
    stages: dict[int, StageResult]


def times(seconds: Sequence[float]) -> Times:
    """Return the percentiles of answers, which must be one at least."""
    found = 1000 * np.percentile(seconds, [50, 95, 99, 100])
    p50, p95, p99, longest = (round(float(value), 2) for value in found)
    return Times(count=len(seconds), p50=p50, p95=p95, p99=p99, longest=longest)


def turn(number: int, seen: Measured) -> Turn:
    """Return what is kept of what the generator told."""
    return Turn(
        round=number,
        seconds=seen.seconds,
        visits=seen.visits,
        answers={kind: times(took) for kind, took in with_all(seen.answers).items()},
        errors=seen.errors,
        cpu_seconds=seen.cpu_seconds,
        generator_seconds=seen.generator_seconds,
        idle=seen.idle,
    )


def pooled(seen: Iterable[Measured]) -> dict[str, list[float]]:
    """Return the answers of all rounds together, by kind."""
    found: dict[str, list[float]] = {}
    for measured in seen:
        for kind, took in with_all(measured.answers).items():
            found.setdefault(kind, []).extend(took)
    return found


def with_all(answers: dict[str, list[float]]) -> dict[str, list[float]]:
    """Return the answers by kind, and those of all requests."""
    every = [
        took for kind, those in answers.items() if kind != BOUGHT for took in those
    ]
    return answers | ({ALL: every} if every else {})


def curve(seconds: Sequence[float]) -> list[tuple[float, float]]:
    """Return the percentiles that the curve of latencies goes through."""
    found = 1000 * np.percentile(seconds, CURVE)
    return [
        (float(at), round(float(value), 2))
        for at, value in zip(CURVE, found, strict=True)
    ]
