"""A stage as a closed network of queues, and what throughput that gives.

Guests go round: each computes in turn in some process, or waits for nobody's CPU, and
begins again. A Python process computes for one guest at a time, since it has one
interpreter lock; all processes together have so many cores, which they share out in
slices. Both hold at once, which no closed form covers ("simultaneous resource
possession", E. D. Lazowska et al., "Quantitative System Performance", Prentice-Hall
1984, chapter 11): so the Markov chain is played out, event by event.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

# Into so many pieces is what a guest asks of a station cut, a visit.
PIECES = 12
WARM_UP_VISITS = 200
VISITS = 6000
SEED = 20261123


@dataclass(frozen=True)
class Demands:
    """What one visit asks for, in seconds.

    Attributes:
        locked: CPU in processes with an interpreter lock, by kind; where there are
            several of a kind, a visit has all its CPU in one of them.
        free: CPU in all others: databases, nginx, stand-ins, the generator.
        waits: time in which nothing is computed for this guest.
    """

    locked: Mapping[str, float]
    free: float
    waits: float

    @property
    def cpu(self) -> float:
        """All CPU."""
        return sum(self.locked.values()) + self.free

    def on_slower(self, times: float) -> Demands:
        """Return the same on a machine that computes so many times as long."""
        locked = {kind: times * cpu for kind, cpu in self.locked.items()}
        return Demands(locked, times * self.free, self.waits)


def bound(
    demands: Demands, copies: Mapping[str, int], guests: int, cores: float
) -> float:
    """Return the visits a second that nothing can exceed.

    Asymptotic bounds: the busiest resource is always busy, or no guest ever waits for
    another (Lazowska et al., chapter 5).

    Args:
        demands: of a visit.
        copies: how many processes there are of each kind.
        guests: at a time.
        cores: that all processes share.
    """
    each = [demands.locked[kind] / copies[kind] for kind in demands.locked]
    alone = demands.cpu + demands.waits
    return min(
        guests / alone, cores / demands.cpu, *(1 / busy for busy in each if busy)
    )


def throughput(
    demands: Demands,
    copies: Mapping[str, int],
    guests: int,
    cores: float,
    visits: int = VISITS,
    seed: int = SEED,
) -> float:
    """Return the visits a second that guests make who never pause.

    Pieces have exponential lengths; their number and their means decide, not their
    distribution, as in all networks whose processors are shared out in slices.

    Args:
        demands: of a visit.
        copies: how many processes there are of each kind.
        guests: at a time.
        cores: that all processes share.
        visits: how many are played, after a warm-up.
        seed: the same seed gives the same figure.
    """
    play = _Play(demands, copies, guests, cores, random.Random(seed))
    play.until(WARM_UP_VISITS)
    began = play.now
    play.until(WARM_UP_VISITS + visits)
    return visits / (play.now - began)


class _Play:
    """The chain: who is where, and when the next of them moves on."""

    def __init__(
        self,
        demands: Demands,
        copies: Mapping[str, int],
        guests: int,
        cores: float,
        chance: random.Random,
    ) -> None:
        self.now, self.done = 0.0, 0
        self._cores, self._chance, self._copies = cores, chance, copies
        self._route = _route(demands)
        # Guests in each locked process, in the order of their coming; elsewhere.
        self._queues: dict[tuple[str, int], list[int]] = {}
        self._computing: list[int] = []
        self._waiting: list[int] = []
        self._at = [0] * guests
        self._mine: list[dict[str, int]] = [{} for _ in range(guests)]
        for guest in range(guests):
            self._at[guest] = chance.randrange(len(self._route))
            self._choose(guest)
            self._enter(guest)

    def until(self, visits: int) -> None:
        """Play until so many visits have been made."""
        while self.done < visits:
            self._step()

    def _step(self) -> None:
        heads = [queue[0] for queue in self._queues.values() if queue]
        running = len(heads) + len(self._computing)
        speed = min(1.0, self._cores / running) if running else 1.0
        movers = [*heads, *self._computing, *self._waiting]
        rates = [
            (1.0 if place >= running else speed) / self._route[self._at[guest]][1]
            for place, guest in enumerate(movers)
        ]
        self.now += self._chance.expovariate(sum(rates))
        self._leave(self._chance.choices(movers, rates)[0])

    def _leave(self, guest: int) -> None:
        kind, _ = self._route[self._at[guest]]
        self._where(guest, kind).remove(guest)
        self._at[guest] += 1
        if self._at[guest] == len(self._route):
            self._at[guest] = 0
            self.done += 1
            self._choose(guest)
        self._enter(guest)

    def _enter(self, guest: int) -> None:
        self._where(guest, self._route[self._at[guest]][0]).append(guest)

    def _where(self, guest: int, kind: str) -> list[int]:
        if kind == FREE:
            return self._computing
        if kind == WAITS:
            return self._waiting
        return self._queues.setdefault((kind, self._mine[guest][kind]), [])

    def _choose(self, guest: int) -> None:
        """Give a visit one process of each kind, as its connection does."""
        self._mine[guest] = {
            kind: self._chance.randrange(count) for kind, count in self._copies.items()
        }


FREE, WAITS = "(free)", "(waits)"


def _route(demands: Demands) -> list[tuple[str, float]]:
    """Return the pieces of a visit: each kind in turn, over and over, and its mean."""
    every = {**demands.locked, FREE: demands.free, WAITS: demands.waits}
    once = [(kind, total / PIECES) for kind, total in every.items() if total > 0]
    return once * PIECES
