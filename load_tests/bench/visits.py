"""Stage 3 against stage 2: one guest's whole visit, over and over, in turns.

Only the sending is timed, not the signing, which is the guest's own work.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import requests

from load_tests.intervals import Figure, ratio
from sandbox.runner import RunningStage
from tests.backstage import backstage_of
from tests.guest import Guest

from . import guests
from .compare import VISIT
from .lambdas import Say, right
from .load import Request
from .pair import fresh
from .statistics import percentile

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Visits:
    """Visits at both; times in milliseconds.

    Attributes:
        services: visits a second in each round, at stage 2.
        functions: the same, at stage 3.
        ratio: the functions' over the services'.
        p50: of each kind of request, services and functions.
    """

    services: list[float]
    functions: list[float]
    ratio: Figure
    p50: dict[str, tuple[float, float]]


@contextmanager
def services(port_base: int, log_level: str) -> Iterator[RunningStage]:
    """Start stage 2 with one worker for each service; stop it at the end."""
    env = {"LOG_LEVEL": log_level, "NLU_ENGINE": "light", "REPLICAS": ""}
    with fresh(2, "bench-visits", port_base, env, workers=1) as running:
        yield running


def compare(
    two: RunningStage, three: RunningStage, rounds: int, visits: int, say: Say
) -> dict[str, Any]:
    """Measure visits at both in turns, A B A B ...

    Args:
        two: stage 2, while it runs.
        three: stage 3, while it runs.
        rounds: how many turns each has.
        visits: of each turn.
        say: tells how it goes on.

    Raises:
        LoadError: an answer was not the right one.
    """
    backstage_of(three).set_stock(guests.PRODUCT_ID, guests.PLENTY)
    people = {"services": Visitor(Guest(two)), "functions": Visitor(Guest(three))}
    for person in people.values():
        person.visit()
    rates: dict[str, list[float]] = {name: [] for name in people}
    kinds: dict[str, list[list[float]]] = {name: [] for name in people}
    for number in range(1, rounds + 1):
        for name, person in people.items():
            seen = [person.visit() for _ in range(visits)]
            rates[name].append(1000 * visits / sum(map(sum, seen)))
            kinds[name] += seen
        told = "  ".join(f"{name} {each[-1]:.1f}/s" for name, each in rates.items())
        say(f"visits, round {number} of {rounds}: {told}")
    found = Visits(
        **rates,
        ratio=ratio(rates["functions"], rates["services"]),
        p50={
            kind: (_p50(kinds["services"], at), _p50(kinds["functions"], at))
            for at, kind in enumerate(VISIT)
        },
    )
    return asdict(found)


class Visitor:
    """A guest who looks around, talks, buys, and sees the order.

    Args:
        guest: who it is.
    """

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._door = guest.api_url.removesuffix("/v1")
        self._order_id = ""

    def visit(self) -> list[float]:
        """Return how long each request of a visit took, in milliseconds."""
        return [self._sent(request) for request in guests.journey()]

    def _sent(self, request: Request) -> float:
        headers = {"Content-Type": "application/json"} if request.body else {}
        if request.new_key:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        asked = requests.Request(
            request.method,
            self._door + request.path.replace("{orderId}", self._order_id),
            headers=headers,
            data=request.body or None,
        )
        prepared = self._guest.http.prepare_request(asked)
        began = time.perf_counter()
        answer = self._guest.http.send(prepared, timeout=TIMEOUT_SECONDS)
        took = 1000 * (time.perf_counter() - began)
        right(answer)
        if request.new_key:
            self._order_id = answer.json()["order"]["orderId"]
        return took


def _p50(seen: Sequence[Sequence[float]], at: int) -> float:
    return percentile([visit[at] for visit in seen], 50)
