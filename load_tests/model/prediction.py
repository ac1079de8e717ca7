"""From what was measured at some loads to what will be at others. No clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import msgspec

from load_tests import intervals
from load_tests.compare.load import Measured
from load_tests.limits import scalability

from .network import Demands, throughput

GOAL = 0.10
# So much of the cores others may take, and it still counts.
QUIET = 0.05
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
        taken: the share of the cores that other programs took, 0 to 1: at this load
            or at one that the model was told of, whichever was disturbed more.
        predicted: visits a second.
        measured: the same, with its interval over rounds.
    """

    level: Level
    taken: float
    predicted: float
    measured: intervals.Figure

    @property
    def error(self) -> float:
        """By how much too high, 0.1 for 10 %."""
        return self.predicted / self.measured.estimate - 1

    @property
    def judged(self) -> bool:
        """Whether it says anything: the model takes all cores for the stage's."""
        return self.taken <= QUIET

    @property
    def met(self) -> bool:
        """Whether that is within the goal."""
        return abs(self.error) <= GOAL


def demands(what: str, alone: Sequence[Measured], busy: Sequence[Measured]) -> Demands:
    """Return what a visit asks for: the demand law, CPU time over visits.

    Args:
        what: the monolith or the services.
        alone: rounds with one guest, whose visit takes what it computes and waits.
        busy: rounds with a few guests, whose CPU is nearer to that of many.
    """
    used = _cpu_a_visit(busy)
    locked = {kind: used.pop(kind) for kind in LOCKED[what] if kind in used}
    visit = fmean(each.seconds / each.visits for each in alone)
    waits = max(0.0, visit - sum(_cpu_a_visit(alone).values()))
    return Demands(locked=locked, free=sum(used.values()), waits=waits)


def predictions(
    measured: Mapping[Level, Sequence[Measured]], cores: int
) -> list[Prediction]:
    """Predict each load that does not calibrate, from those that do and nothing else.

    Args:
        measured: the rounds of each load.
        cores: that stage and generator share.
    """
    asked = {what: _calibrated(what, measured) for what in (MONOLITH, SERVICES)}
    found = []
    for level, turns in measured.items():
        needs = asked[level.what]
        if level.calibrates or needs is None:
            continue
        copies = dict.fromkeys(LOCKED[level.what], 1) | {WORKER: level.workers}
        told = throughput(needs, copies, level.guests, cores)
        seen = [turns, *_calibrating(level.what, measured)]
        taken = max(1 - cores_left(each, cores) / cores for each in seen)
        found.append(Prediction(level, taken, told, rate(turns)))
    return found


def cores_left(turns: Sequence[Measured], cores: int) -> float:
    """Return how many cores other programs left: those used for the load, or idle.

    On a machine with nothing else to do it is all of them.
    """
    shares = [
        (sum(turn.cpu_seconds.values()) + turn.generator_seconds) / turn.seconds
        + turn.idle * cores
        for turn in turns
    ]
    return min(float(cores), fmean(shares))


def by_law(
    measured: Mapping[Level, Sequence[Measured]], guests: int
) -> list[tuple[float, float, float]]:
    """Predict the monolith with each number of workers from all other numbers.

    By the Universal Scalability Law, which knows of no cores: see how far that goes.

    Args:
        measured: the rounds of each load.
        guests: which loads, by their guests.

    Returns:
        Of each number of workers: itself, visits a second, and the relative error.
    """
    rates = {
        level.workers: rate(turns).estimate
        for level, turns in measured.items()
        if level.what == MONOLITH and level.guests == guests
    }
    if len(rates) <= scalability.FEWEST_LEVELS:
        return []
    return scalability.held_out(list(rates), list(rates.values()))


def rate(turns: Iterable[Measured]) -> intervals.Figure:
    """Return the visits a second over the rounds."""
    return intervals.mean([turn.visits / turn.seconds for turn in turns])


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


def _cpu_a_visit(turns: Sequence[Measured]) -> dict[str, float]:
    """Return CPU seconds a visit, by what the processes are; the generator's, too."""
    visits = sum(turn.visits for turn in turns)
    found: dict[str, float] = {"generator": 0.0}
    for turn in turns:
        found["generator"] += turn.generator_seconds / visits
        for part, used in turn.cpu_seconds.items():
            found[part] = found.get(part, 0.0) + used / visits
    return found
