"""Stage 3: which functions an operation calls, how often, and what each call takes.

For the bill (`load_tests/costs`). What Lambda would bill is the billed duration of the
`REPORT` lines; of it the worker's own CPU time is told apart, since here it has a whole
processor and on Lambda only the part that its memory buys. The rest is what it waits
for others, who are on this machine as well.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests

from sandbox.runner import RunningStage
from tests.guest import Guest

from . import guests
from .lambdas import Lambda, Say, right, workers_of
from .load import LoadError

WHERE = "on the local AWS, one guest; Stripe's 150 ms a call ASSUMED"
FUNCTIONS = ("catalog", "nlu", "checkout")
STRIPE_MS = 150
# Longer than nlu keeps the list of products (CATALOG_FRESH_SECONDS): a guest who reads
# what was said takes longer to answer than that.
READING_SECONDS = 2.1
# In which a REPORT line comes.
LATE_SECONDS = 1.0
TIMEOUT_SECONDS = 10

Asked = Callable[[], requests.Response]


def measure(stage: RunningStage, times: int, say: Say) -> dict[str, Any]:
    """Return the members of `assumptions.yaml` that were measured.

    Args:
        stage: the running stage 3.
        times: how often each operation is asked for.
        say: tells how it goes on.

    Raises:
        LoadError: a call failed, or was not reported.
    """
    functions = Lambda(stage)
    found: list[dict[str, Any]] = []
    with _as_slow_as_stripe(stage.stripe_url):
        for operation, ask, pause in _operations(Guest(stage)):
            say(f"calls for {operation}")
            for _ in range(2):
                right(ask())
            time.sleep(LATE_SECONDS)
            found += _calls(stage, functions, operation, ask, pause, times)
    return {"where": WHERE, "asked": times, "calls": found}


def _calls(
    stage: RunningStage,
    functions: Lambda,
    operation: str,
    ask: Asked,
    pause: float,
    times: int,
) -> Iterator[dict[str, Any]]:
    """Ask for an operation, and return what each function had to do for it."""
    seen: dict[str, set[str]] = {name: set() for name in FUNCTIONS}
    for name, known in seen.items():
        functions.new_reports(f"{name}-api", known)
    before = {name: _cpu_ms(stage, name) for name in FUNCTIONS}
    for _ in range(times):
        right(ask())
        time.sleep(pause)
    time.sleep(LATE_SECONDS)
    for name, known in seen.items():
        reports = functions.new_reports(f"{name}-api", known)
        if not reports:
            continue
        billed = sum(report.billed for report in reports) / len(reports)
        used = used_between(before[name], _cpu_ms(stage, name))
        cpu = min(billed, used / len(reports))
        yield {
            "operation": operation,
            "function": name,
            "times": len(reports) / times,
            "cpu_ms": round(cpu, 1),
            "wait_ms": round(billed - cpu, 1),
            "api": True,
        }


def _operations(guest: Guest) -> Iterator[tuple[str, Asked, float]]:
    """Return each operation of the bill, how it is asked for, and how slowly."""
    yield "products", lambda: guest.get("/products"), 0.0
    said = itertools.cycle(request.body for request in guests.chat())
    kind = {"Content-Type": "application/json"}
    yield (
        "chat",
        lambda: guest.post("/nlu", data=next(said), headers=kind),
        READING_SECONDS,
    )
    yield "checkout", lambda: guest.buy(guests.PRODUCT_ID), 0.0
    (order, *_) = guest.get("/orders").json()["orders"]
    yield "order", lambda: guest.get(f"/orders/{order['orderId']}"), 0.0


def _cpu_ms(stage: RunningStage, name: str) -> dict[int, float]:
    """Return the CPU time of each of a function's workers, in milliseconds.

    Raises:
        LoadError: it has none.
    """
    found = {}
    for worker in workers_of(stage, f"{name}-api"):
        times = worker.cpu_times()
        found[worker.pid] = 1000 * float(times.user + times.system)
    if not found:
        raise LoadError(f"{name}-api has no worker that could be found")
    return found


def used_between(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Return the CPU time that the same workers used between two looks, milliseconds.

    Raises:
        LoadError: they are not the same: what a start takes is no part of a call.
    """
    if before.keys() != after.keys():
        raise LoadError("a worker was started or ended meanwhile; measure again")
    return sum(after[pid] - before[pid] for pid in after)


@contextmanager
def _as_slow_as_stripe(url: str) -> Iterator[None]:
    """Let the Stripe sandbox take its time: in the function's, it is paid for."""
    faults: Mapping[str, Any] = {"latency_ms": {"fixed": STRIPE_MS}}
    control = f"{url}/_sandbox/faults"
    kind = {"Content-Type": "application/json"}
    body = json.dumps(faults)
    requests.put(
        control, body, headers=kind, timeout=TIMEOUT_SECONDS
    ).raise_for_status()
    try:
        yield
    finally:
        requests.delete(control, timeout=TIMEOUT_SECONDS)
