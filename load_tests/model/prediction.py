"""From what was measured at some loads to what will be at others. No clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import msgspec

from load_tests import intervals
from load_tests.compare.load import Measured
from load_tests.limits import scalability

from .network import Demands, throughput

GOAL = 0.10
# A round counts if other programs took so much of the cores at most. That is all that
# the rule looks at: who chose rounds by their throughput would choose the outcome.
QUIET = 0.05
# With fewer such rounds a load is not judged.
FEWEST = 3
MONOLITH, SERVICES = "monolith", "services"
WORKER = "concierge"
# Each of stage 2's services is a process with an interpreter lock, and so are the
# stand-ins; PostgreSQL, Redis and nginx are not.
LOCKED = {
    MONOLITH: (WORKER, "Stripe stand-in", "mailbox"),
    SERVICES: (
        *("identity", "catalog", "nlu", "checkout", "notifications"),
        *("Stripe stand-in", "mailbox"),
    ),
}


class Level(msgspec.Struct, kw_only=True, frozen=True):
    """A load.

    Attributes:
        what: the monolith or the services.
        workers: of the monolith; 1 of each service.
        guests: at a time.
        calibrates: whether the model is told of it.
    """

    what: str
    workers: int
    guests: int
    calibrates: bool

    def __str__(self) -> str:
        """Say it in words."""
        guests = "1 guest" if self.guests == 1 else f"{self.guests} guests"
        if self.what == SERVICES:
            return f"services, {guests}"
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        return f"monolith, {workers}, {guests}"


@dataclass(frozen=True)
class Prediction:
    """A load that the model was not told of.

    Attributes:
        level: which.
        predicted: visits a second.
        measured: the same, the median of the rounds, with the least and the most.
        judged: whether it says anything: whether enough rounds were undisturbed of this
            load, and of each that the model was told of.
    """

    level: Level
    predicted: float
    measured: intervals.Figure
    judged: bool = True

    @property
    def error(self) -> float:
        """By how much too high, 0.1 for 10 %."""
        return self.predicted / self.measured.estimate - 1

    @property
    def met(self) -> bool:
        """Whether that is within the goal."""
        return abs(self.error) <= GOAL


def demands(what: str, alone: Sequence[Measured], busy: Sequence[Measured]) -> Demands:
    """Return what a visit asks for: the demand law, CPU time over visits.

    CPU is that of a machine as slow as it was in the median of the busy rounds.

    Args:
        what: the monolith or the services.
        alone: rounds with one guest, whose visit takes what it computes and waits.
        busy: rounds with a few guests, whose CPU is nearer to that of many.
    """
    usual = median(map(slowness, busy))
    used = {part: usual * ratio for part, ratio in _work_a_visit(busy).items()}
    locked = {kind: used.pop(kind) for kind in LOCKED[what] if kind in used}
    waits = median((each.seconds - _cpu(each)) / each.visits for each in alone)
    return Demands(locked=locked, free=sum(used.values()), waits=max(0.0, waits))


def slowness(turn: Measured) -> float:
    """Return how slow the machine was in a round: the generator's CPU seconds a visit.

    What it does for a visit is the same at every load. Where strangers share the cores
    of a virtual machine, all CPU times rise and fall together, by half and more.
    """
    return turn.generator_seconds / turn.visits


def predictions(
    measured: Mapping[Level, Sequence[Measured]], cores: int
) -> list[Prediction]:
    """Predict each load that does not calibrate, from those that do.

    All else that the model is told of is how slow the machine was meanwhile. The cores
    are those that others left in the rounds that calibrate.

    Args:
        measured: the rounds of each load.
        cores: that stage and generator share.
    """
    kept = {level: counting(turns, cores) for level, turns in measured.items()}
    asked = {what: _calibrated(what, kept) for what in (MONOLITH, SERVICES)}
    found = []
    for level, turns in measured.items():
        needs = asked[level.what]
        if level.calibrates or needs is None:
            continue
        copies = dict.fromkeys(LOCKED[level.what], 1) | {WORKER: level.workers}
        calibrating = _calibrating(level.what, kept)
        slower = median(map(slowness, kept[level])) / median(
            map(slowness, calibrating[-1])
        )
        left = cores * median(
            1 - unusable(turn, cores) for each in calibrating for turn in each
        )
        told = throughput(needs.on_slower(slower), copies, level.guests, left)
        seen = [turns, *_calibrating(level.what, measured)]
        judged = all(len(undisturbed(each, cores)) >= FEWEST for each in seen)
        found.append(Prediction(level, told, rate(kept[level]), judged))
    return found


def taken(turn: Measured, cores: int) -> float:
    """Return the share of the cores that other programs took in a round, 0 to 1.

    Neither the stage nor the generator nor our stages that were idle beside it; where
    nobody looked at the last, they count as others.
    """
    ours = sum(turn.cpu_seconds.values()) + turn.generator_seconds
    ours += turn.beside or 0.0
    return max(0.0, 1 - ours / (turn.seconds * cores) - turn.idle)


def unusable(turn: Measured, cores: int) -> float:
    """Return the share of the cores that others and idle stages took, 0 to 1."""
    return taken(turn, cores) + (turn.beside or 0.0) / (turn.seconds * cores)


def undisturbed(turns: Sequence[Measured], cores: int) -> list[Measured]:
    """Return the rounds of a load in which other programs took next to nothing."""
    return [turn for turn in turns if taken(turn, cores) <= QUIET]


def counting(turns: Sequence[Measured], cores: int) -> Sequence[Measured]:
    """Return the rounds whose figures count: all, where too few were undisturbed."""
    quiet = undisturbed(turns, cores)
    return quiet if len(quiet) >= FEWEST else turns


def by_law(
    measured: Mapping[Level, Sequence[Measured]], guests: int, cores: int
) -> list[tuple[float, float, float]]:
    """Predict the monolith with each number of workers from all other numbers.

    By the Universal Scalability Law, which knows of no cores: see how far that goes.

    Args:
        measured: the rounds of each load.
        guests: which loads, by their guests.
        cores: that stage and generator share.

    Returns:
        Of each number of workers: itself, visits a second, and the relative error.
    """
    rates = {
        level.workers: rate(counting(turns, cores)).estimate
        for level, turns in measured.items()
        if level.what == MONOLITH and level.guests == guests
    }
    if len(rates) <= scalability.FEWEST_LEVELS:
        return []
    return scalability.held_out(list(rates), list(rates.values()))


def rate(turns: Iterable[Measured]) -> intervals.Figure:
    """Return the visits a second: the median of the rounds, the least and the most."""
    each = [turn.visits / turn.seconds for turn in turns]
    return intervals.Figure(median(each), min(each), max(each))


def _calibrated(
    what: str, measured: Mapping[Level, Sequence[Measured]]
) -> Demands | None:
    told = _calibrating(what, measured)
    return demands(what, *told) if len(told) == len(("alone", "busy")) else None


def _calibrating(
    what: str, measured: Mapping[Level, Sequence[Measured]]
) -> list[Sequence[Measured]]:
    """Return the rounds that the model is told of: one guest's, then a few guests'."""
    told = [level for level in measured if level.what == what and level.calibrates]
    return [measured[level] for level in sorted(told, key=lambda each: each.guests)]


def _cpu(turn: Measured) -> float:
    """Return the CPU seconds of a round, the generator's among them."""
    return turn.generator_seconds + sum(turn.cpu_seconds.values())


def _work_a_visit(turns: Sequence[Measured]) -> dict[str, float]:
    """Return how often the generator's CPU each part takes, which takes its own once.

    Of each the median of the rounds, which were of different speeds.
    """
    parts = dict.fromkeys(part for turn in turns for part in turn.cpu_seconds)
    used = {
        part: median(
            turn.cpu_seconds.get(part, 0.0) / turn.generator_seconds for turn in turns
        )
        for part in parts
    }
    return {"generator": 1.0} | used
