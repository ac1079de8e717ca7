"""What queues do, in closed form. Rates are a second, times are seconds.

Each is checked against a simulation in `tests/unit/test_limits.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


def worker_throughput(threads: int, cpu: float, wait: float) -> float:
    """Return the most requests a second that one gunicorn worker finishes.

    Its threads wait at the same time but compute one by one, since a Python process has
    one interpreter lock: a closed network of a delay and one processor, the "machine
    repairman". With `n` requests at the processor, its probability is in proportion to
    `threads! / (threads - n)! * (cpu / wait)^n`, whatever the times' distributions if
    the processor is shared out in slices (F. Baskett et al., "Open, Closed, and Mixed
    Networks of Queues", Journal of the ACM 22:2, 1975). With no wait it is `1 / cpu`;
    with no computing, Little's law: `threads / wait`.

    Args:
        threads: of the worker.
        cpu: computing of one request.
        wait: waiting of one request: for PostgreSQL, Stripe, other services.
    """
    if cpu <= 0:
        return math.inf if wait <= 0 else threads / wait
    if wait <= 0:
        return 1 / cpu
    weight, weights = 1.0, [1.0]
    for busy in range(threads):
        weight *= (threads - busy) * cpu / wait
        weights.append(weight)
    return (1 - weights[0] / sum(weights)) / cpu


def refused(offered: float, places: int) -> float:
    """Return the share of calls that find every place taken, and are refused.

    Erlang's loss formula (A. K. Erlang, 1917), in the recursion that does not overflow.
    It holds whatever the distribution of the time that a call takes.

    Args:
        offered: calls a second times seconds each: places taken if there were enough.
        places: how many there are: Lambda's concurrency.
    """
    share = 1.0
    for place in range(1, places + 1):
        share = offered * share / (place + offered * share)
    return share


def throttled(rate: float, seconds: float, limit: float, burst: float) -> float:
    """Return the share of requests that a token bucket refuses.

    API Gateway lets `burst` through at once and `limit` a second (API Gateway Developer
    Guide, "Throttle requests"); Stripe's limiter is of the same kind. The burst is to
    be more than chance heaps up: with hardly any, tokens are lost between requests.

    Args:
        rate: of requests.
        seconds: for how long they come.
        limit: tokens a second.
        burst: tokens at the beginning, and at most.
    """
    asked = rate * seconds
    return max(0.0, 1 - (burst + limit * seconds) / asked) if asked else 0.0


@dataclass(frozen=True)
class Pollers:
    """How Lambda asks a queue (Lambda Developer Guide, "Using Lambda with Amazon SQS").

    Attributes:
        first: how many messages it works on at once in the beginning.
        a_minute: how many more after each minute.
        most: at most: 1,250, or the consumer's own `MaximumConcurrency`.
    """

    first: float
    a_minute: float
    most: float

    @property
    def ramp_seconds(self) -> float:
        """How long it takes to grow to the most."""
        if self.most <= self.first:
            return 0.0
        return (self.most - self.first) / self.a_minute * 60

    def at(self, seconds: float) -> float:
        """Return how many work at once after so many seconds."""
        return min(self.most, self.first + self.a_minute * seconds / 60)


def drain_seconds(backlog: float, rate: float, each: float, pollers: Pollers) -> float:
    """Return how long a queue takes to run empty.

    In the flow of messages, `backlog / (mu - rate)`, where the service rate `mu` is
    pollers over seconds each, and grows with the pollers: a quadratic while it does.

    Args:
        backlog: messages that wait at the beginning.
        rate: at which more come.
        each: of working on one message.
        pollers: how many do that at once.

    Returns:
        Seconds; infinity when more come than are ever worked on.
    """
    start = min(pollers.first, pollers.most) / each - rate
    slope = pollers.a_minute / 60 / each
    ramp = pollers.ramp_seconds
    left = backlog - start * ramp - slope * ramp**2 / 2
    if ramp and left <= 0:
        return (-start + math.sqrt(start**2 + 2 * slope * backlog)) / slope
    gained = pollers.most / each - rate
    return ramp + left / gained if gained > 0 else math.inf
