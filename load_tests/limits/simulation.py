"""The same systems, played event by event: what the closed forms are checked against.

Every run has a seed and its own clock; nothing is timed. Rates are a second.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import simpy

from .queueing import Pollers

Events = Generator[simpy.Event, Any, None]
# Python hands its interpreter lock on after so long (sys.getswitchinterval).
SLICE = 0.005


@dataclass
class Counted:
    """What came of a run's requests."""

    finished: int = 0
    refused: int = 0

    def count(self, *, refused: bool) -> None:
        """Count one more."""
        if refused:
            self.refused += 1
        else:
            self.finished += 1

    @property
    def share_refused(self) -> float:
        """Of all that came to an end."""
        return self.refused / (self.finished + self.refused)


class Tokens:
    """A token bucket that fills with the run's clock."""

    def __init__(self, env: simpy.Environment, limit: float, burst: float) -> None:
        self._env, self._limit, self._burst = env, limit, burst
        self._held, self._at = burst, 0.0

    def take(self) -> bool:
        """Take a token; return whether there was one."""
        grown = self._held + self._limit * (self._env.now - self._at)
        self._held, self._at = min(self._burst, grown), self._env.now
        if self._held < 1:
            return False
        self._held -= 1
        return True


def busy_worker(
    threads: int, cpu: float, wait: float, seconds: float, seed: int
) -> float:
    """Return the requests a second of a gunicorn worker that always has work.

    Computing and waiting last exponentially long; half of each request's waiting comes
    before its computing. Computing goes in slices under one lock.
    """
    env, draw, done = simpy.Environment(), random.Random(seed), Counted()
    lock = simpy.Resource(env)

    def thread() -> Events:
        while True:
            waits, left = draw.expovariate(1 / wait), draw.expovariate(1 / cpu)
            yield env.timeout(waits / 2)
            while left > 0:
                with lock.request() as turn:
                    yield turn
                    step = min(SLICE, left)
                    yield env.timeout(step)
                    left -= step
            yield env.timeout(waits / 2)
            done.finished += 1

    for _ in range(threads):
        env.process(thread())
    env.run(until=seconds)
    return done.finished / seconds


def places(rate: float, each: float, many: int, seconds: float, seed: int) -> Counted:
    """Play calls that come at random and find a place, or are refused: Lambda."""
    env, draw, done = simpy.Environment(), random.Random(seed), Counted()
    taken = simpy.Resource(env, capacity=many)

    def call() -> Events:
        if taken.count == many:
            done.refused += 1
            return
        with taken.request() as place:
            yield place
            yield env.timeout(draw.uniform(0.5, 1.5) * each)
            done.finished += 1

    env.process(_arrivals(env, draw, rate, call))
    env.run(until=seconds)
    return done


def filled(pools: Sequence[int], accepted: int, seed: int) -> Counted:
    """Play workers that open connections until their pools are full, and keep them.

    Args:
        pools: how many connections each worker may hold.
        accepted: how many the database takes.
        seed: of the draw.
    """
    env, draw, done = simpy.Environment(), random.Random(seed), Counted()
    taken = simpy.Resource(env, capacity=accepted)

    def connection() -> Events:
        yield env.timeout(draw.expovariate(1))
        full = taken.count == accepted
        done.count(refused=full)
        if not full:
            yield taken.request()

    for _ in range(sum(pools)):
        env.process(connection())
    env.run()
    return done


def bucket(
    rate: float, limit: float, burst: float, seconds: float, seed: int
) -> Counted:
    """Play requests that each take a token, or are refused: API Gateway, Stripe."""
    env, draw, done = simpy.Environment(), random.Random(seed), Counted()
    tokens = Tokens(env, limit, burst)

    def request() -> Events:
        done.count(refused=not tokens.take())
        yield from ()

    env.process(_arrivals(env, draw, rate, request))
    env.run(until=seconds)
    return done


@dataclass
class Passed:
    """What came of requests to stage 3.

    Attributes:
        at_api: at API Gateway's own limit.
        at_lambda: at the account's concurrency.
        at_stripe: at Stripe's limit; only checkouts come so far.
        busy: calls of Lambda at once, on average.
    """

    at_api: Counted
    at_lambda: Counted
    at_stripe: Counted
    busy: float = 0.0


@dataclass(frozen=True)
class Doors:
    """What a request to stage 3 must pass.

    Attributes:
        rate: requests a second that API Gateway lets through.
        burst: requests that it lets through at once.
        places: calls that Lambda answers at once.
        stripe: requests a second that Stripe's endpoint takes.
    """

    rate: float
    burst: float
    places: int
    stripe: float


def passing(
    rates: Mapping[str, float],
    lasting: Mapping[str, float],
    doors: Doors,
    seconds: float,
    seed: int,
) -> Passed:
    """Play guests' requests of all kinds to stage 3, whose doors refuse and never wait.

    Args:
        rates: requests a second by operation.
        lasting: seconds for which an operation keeps one place at Lambda.
        doors: to pass.
        seconds: to play.
        seed: of the draw.
    """
    env, draw = simpy.Environment(), random.Random(seed)
    passed = Passed(Counted(), Counted(), Counted())
    api = Tokens(env, doors.rate, doors.burst)
    stripe = Tokens(env, doors.stripe, doors.stripe)
    taken = simpy.Resource(env, capacity=doors.places)

    def request(operation: str) -> Events:
        passed.at_api.count(refused=not (let_in := api.take()))
        if not let_in:
            return
        full = taken.count == doors.places
        passed.at_lambda.count(refused=full)
        if full:
            return
        with taken.request() as place:
            yield place
            if operation == "checkout":
                passed.at_stripe.count(refused=not stripe.take())
            lasts = draw.uniform(0.5, 1.5) * lasting.get(operation, 0.0)
            passed.busy += min(lasts, seconds - env.now) / seconds
            yield env.timeout(lasts)

    for operation, rate in rates.items():
        env.process(_arrivals(env, draw, rate, partial(request, operation)))
    env.run(until=seconds)
    return passed


def drained(
    backlog: int, rate: float, each: float, pollers: Pollers, seed: int
) -> float:
    """Return when a queue with a backlog, and more coming, is empty for the first time.

    Raises:
        TimeoutError: it was not within a day.
    """
    env, draw = simpy.Environment(), random.Random(seed)
    queue = simpy.Store(env)
    queue.items.extend(range(backlog))
    empty = env.event()

    def poller(after: float) -> Events:
        yield env.timeout(after)
        while not empty.triggered:
            yield queue.get()
            yield env.timeout(draw.uniform(0.5, 1.5) * each)
            if not queue.items and not empty.triggered:
                empty.succeed()

    def message() -> Events:
        yield queue.put(None)

    for number in range(int(pollers.most)):
        later = max(0.0, number + 1 - pollers.first)
        after = later / pollers.a_minute * 60 if later else 0.0
        env.process(poller(after))
    env.process(_arrivals(env, draw, rate, message))
    a_day = env.timeout(86_400)
    env.run(until=empty | a_day)
    if not empty.triggered:
        raise TimeoutError("The queue was not empty within a day.")
    return float(env.now)


def serving(
    rate: float,
    workers: int,
    threads: int,
    cpu: float,
    wait: float,
    seconds: float,
    seed: int,
) -> float:
    """Return the requests a second that a stage's workers finish of those that come.

    They come at random and wait in one line until any worker has a thread free.
    """
    env, draw, done = simpy.Environment(), random.Random(seed), Counted()
    line = simpy.Store(env)

    def thread(lock: simpy.Resource) -> Events:
        while True:
            yield line.get()
            left = draw.expovariate(1 / cpu)
            while left > 0:
                with lock.request() as turn:
                    yield turn
                    step = min(SLICE, left)
                    yield env.timeout(step)
                    left -= step
            yield env.timeout(draw.expovariate(1 / wait))
            done.finished += 1

    def request() -> Events:
        yield line.put(None)

    for _ in range(workers):
        lock = simpy.Resource(env)
        for _ in range(threads):
            env.process(thread(lock))
    env.process(_arrivals(env, draw, rate, request))
    env.run(until=seconds)
    return done.finished / seconds


def _arrivals(
    env: simpy.Environment, draw: random.Random, rate: float, what: Any
) -> Events:
    """Begin something at random moments, so many a second on average (Poisson)."""
    while rate > 0:
        yield env.timeout(draw.expovariate(rate))
        env.process(what())
