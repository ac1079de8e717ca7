"""The load generator: reads a plan from standard input, writes what it measured.

One thread of gevent with geventhttpclient, which parses answers in C; answers are
judged by msgspec, in C as well. A visit has a connection of its own, so that guests
are not bound to one worker for ever.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field

import gevent  # type: ignore[import-untyped]
import msgspec
from geventhttpclient.client import HTTPClient

from load_tests.accounts import Account
from load_tests.answers import WrongAnswer
from load_tests.shelves import PRODUCTS

from . import processes
from .load import FINISH_SECONDS, LONGEST_WARM_UP_SECONDS, Measured, Plan
from .visits import Visitor

TIMEOUT_SECONDS = 60.0
LARGEST_READ = 64 * 1024
REST_SECONDS = 0.5
TICK_SECONDS = 0.05


@dataclass
class Seen:
    """What guests have seen up to now; times are of `perf_counter`.

    Attributes:
        visits: when each began and ended.
        returned: the numbers of the guests who have been through one visit.
        answers: kind, when it came, and how long it took.
        errors: what was wrong, and how often.
        stop: whether guests go home now.
    """

    visits: list[tuple[float, float]] = field(default_factory=list)
    returned: set[int] = field(default_factory=set)
    answers: list[tuple[str, float, float]] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    stop: bool = False

    def note(self, kind: str, took: float) -> None:
        """Keep an answer that came now."""
        self.answers.append((kind, time.perf_counter(), took))

    def wrong(self, what: str) -> None:
        """Count what was not right."""
        self.errors[what] = self.errors.get(what, 0) + 1


def perform(plan: Plan) -> Measured:
    """Let guests visit for as long as the plan says."""
    if plan.cores:
        os.sched_setaffinity(0, plan.cores)
    seen = Seen()
    guests = [
        gevent.spawn(_visits, plan, account, number, seen)
        for number, account in enumerate(plan.accounts)
    ]
    _warm_up(plan, guests, seen)
    idle, whole = processes.idle_and_all(plan.measured)
    before, ours, start = _now(plan)
    gevent.sleep(plan.seconds)
    after, later, end = _now(plan)
    idle_later, whole_later = processes.idle_and_all(plan.measured)
    seen.stop = True
    gevent.joinall(guests, timeout=FINISH_SECONDS)
    answers: dict[str, list[float]] = {}
    for kind, came, took in seen.answers:
        if start <= came <= end:
            answers.setdefault(kind, []).append(took)
    return Measured(
        seconds=end - start,
        visits=sum(within(begun, done, start, end) for begun, done in seen.visits),
        answers=answers,
        errors=seen.errors,
        cpu_seconds={name: after[name] - before.get(name, 0.0) for name in after},
        generator_seconds=later - ours,
        idle=(idle_later - idle) / max(whole_later - whole, 1e-9),
    )


def within(begun: float, done: float, start: float, end: float) -> float:
    """Return which part of a visit lies in the time that is measured, 0 to 1."""
    inside = min(done, end) - max(begun, start)
    return max(0.0, inside) / (done - begun)


def _warm_up(plan: Plan, guests: list[gevent.Greenlet], seen: Seen) -> None:
    """Wait for so many seconds, and until each guest has been through one visit."""
    until = time.monotonic() + LONGEST_WARM_UP_SECONDS
    gevent.sleep(plan.warm_up_seconds)
    while len(seen.returned) < len(guests) and time.monotonic() < until:
        gevent.sleep(TICK_SECONDS)


def _visits(plan: Plan, account: Account, number: int, seen: Seen) -> None:
    product = PRODUCTS[number % len(PRODUCTS)]
    host, port = plan.api_url.split("/")[2].split(":")
    while not seen.stop:
        client = HTTPClient(
            host,
            int(port),
            block_size=LARGEST_READ,
            connection_timeout=TIMEOUT_SECONDS,
            network_timeout=TIMEOUT_SECONDS,
        )
        began = time.perf_counter()
        try:
            Visitor(client, plan.api_url, account, product, plan.day, seen.note).visit()
            seen.visits.append((began, time.perf_counter()))
        except WrongAnswer as wrong:
            seen.wrong(str(wrong))
            gevent.sleep(REST_SECONDS)
        finally:
            client.close()
            seen.returned.add(number)


def _now(plan: Plan) -> tuple[dict[str, float], float, float]:
    """Return the stage's and our CPU time, and the middle of the time to look at it."""
    began, ours = time.perf_counter(), time.process_time()
    used = processes.cpu_seconds(plan.runner)
    looked = time.process_time() - ours
    return used, ours + looked / 2, (began + time.perf_counter()) / 2


if __name__ == "__main__":
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(perform(plan)))
