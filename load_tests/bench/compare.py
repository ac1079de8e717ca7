"""Stage 2 against stage 1: a guest's whole visit, one more hop, and memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from load_tests.intervals import Figure, difference, ratio
from sandbox.runner.state import RUN_ROOT
from tests.backstage import database_url
from tests.guest import Guest

from . import asking, guests
from .load import LoadError, Measured, Plan, Request, measure
from .pair import Pair, Side
from .statistics import percentile

CONNECTIONS = 16
WARM_UP_SECONDS = 1.0
HOP_SECONDS = 1.5
CALLS = 400
VISIT = ("products", "chat 1", "chat 2", "checkout", "order")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Mix:
    """The visit, over and over; times in milliseconds.

    Attributes:
        monolith: requests a second in each round.
        services: the same.
        ratio: the services' throughput over the monolith's.
        p50: of each kind of request, monolith and services.
        cpu: CPU milliseconds a visit of each part, by stage.
        generator_share: the generator's largest share of one core.
    """

    monolith: list[float]
    services: list[float]
    ratio: Figure
    p50: dict[str, tuple[float, float]]
    cpu: dict[str, dict[str, float]]
    generator_share: float


@dataclass(frozen=True)
class Hop:
    """The same with one hop and without it; p50 of each round, in milliseconds."""

    what: str
    with_hop: list[float]
    without: list[float]
    cost: Figure


def check_same_answers(pair: Pair) -> None:
    """Make sure that a visit is the same at both.

    Raises:
        LoadError: the concierge says other words, or sells something else.
    """
    told = [_visit(Guest(side.running)) for side in (pair.monolith, pair.services)]
    if told[0] != told[1]:
        raise LoadError(f"the stages differ: {told[0]} and {told[1]}")


def _visit(guest: Guest) -> list[Any]:
    products = guest.get("/products").json()["products"]
    said = [
        message.get("unstructured", {}).get("text")
        for request in guests.journey()
        if request.path == "/v1/nlu"
        for message in guest.post(
            "/nlu",
            data=request.body,
            headers={"Content-Type": "application/json"},
        ).json()["messages"]
    ]
    order = guest.buy(guests.PRODUCT_ID).json()["order"]
    seen = guest.order(order["orderId"])
    return [len(products), said, seen["status"], seen["amount"]]


def mix(pair: Pair, rounds: int, seconds: float, say: Say) -> Mix:
    """Measure the visit at both in turns, A B A B ...

    Raises:
        LoadError: any answer was not the right one.
    """
    sides = {"monolith": pair.monolith, "services": pair.services}
    seen: dict[str, list[Measured]] = {name: [] for name in sides}
    for number in range(1, rounds + 1):
        for name, side in sides.items():
            seen[name].append(_load(side, side.port, guests.journey(), seconds))
        rates = "  ".join(f"{name} {seen[name][-1].throughput:.0f}/s" for name in sides)
        say(f"visits, round {number} of {rounds}: {rates}")
    ours, theirs = ([m.throughput for m in seen[name]] for name in reversed(sides))
    both = [m for rounds_of in seen.values() for m in rounds_of]
    return Mix(
        monolith=theirs,
        services=ours,
        ratio=ratio(ours, theirs),
        p50={
            kind: (_p50(seen["monolith"], at), _p50(seen["services"], at))
            for at, kind in enumerate(VISIT)
        },
        cpu={name: _cpu(measured) for name, measured in seen.items()},
        generator_share=max(m.cpu_share("generator") for m in both),
    )


def hops(pair: Pair, rounds: int, say: Say) -> list[Hop]:
    """Measure what one more hop costs a request that is alone, in turns.

    Raises:
        LoadError: any answer was not the right one.
    """
    return [_gateway_hop(pair.services, rounds, say), *_call_hops(pair, rounds, say)]


def _gateway_hop(side: Side, rounds: int, say: Say) -> Hop:
    sent = [
        Request(path=f"/v1/products/{guests.PRODUCT_ID}", starts_with='{"productId":')
    ]
    found: dict[int, list[float]] = {side.port: [], side.servers["catalog"].port: []}
    for number in range(1, rounds + 1):
        for port, times in found.items():
            seen = _load(side, port, sent, HOP_SECONDS, connections=1)
            times.append(1000 * percentile(seen.latencies, 50))
        say(f"gateway, round {number} of {rounds}")
    through, straight = found.values()
    return _hop("GET /v1/products/{id}: through nginx, straight", through, straight)


def _call_hops(pair: Pair, rounds: int, say: Say) -> list[Hop]:
    say("calls of the catalogue: by a function, and over HTTP")
    base = pair.services.port
    seen = asking.ask(
        asking.Questions(
            product_id=guests.PRODUCT_ID,
            key=_secret(pair.services, "CHECKOUT_SERVICE_KEY"),
            database_url=_sqlalchemy(database_url(pair.monolith.running)),
            urls={
                "HTTP": f"http://127.0.0.1:{base + 6}",
                "HTTP without nginx": pair.services.running.services["catalog"][0][
                    "url"
                ],
            },
            rounds=rounds,
            calls=CALLS,
        )
    )
    p50 = {
        way: [1000 * percentile(times, 50) for times in turns]
        for way, turns in seen.items()
    }
    return [
        _hop(
            "Catalog.product(id): checkout's call, the monolith's function",
            p50["HTTP"],
            p50["function"],
        ),
        _hop(
            "checkout's call: through nginx, straight",
            p50["HTTP"],
            p50["HTTP without nginx"],
        ),
    ]


def memory(side: Side) -> dict[str, dict[str, float]]:
    """Return what one worker of each server of a stage holds now, in MiB.

    Of several workers it is the one in the middle, by what is its own.
    """
    found = {}
    for name, server in side.servers.items():
        workers = sorted(server.memory(), key=lambda worker: worker.unique)
        middle = workers[len(workers) // 2]
        found[name] = {
            "resident": middle.resident,
            "proportional": middle.proportional,
            "unique": middle.unique,
        }
    return found


def warm_up(side: Side, seconds: float) -> None:
    """Let guests visit, so that everything that is loaded late is loaded.

    Raises:
        LoadError: any answer was not the right one.
    """
    _load(side, side.port, guests.journey(), seconds)


def _load(
    side: Side,
    port: int,
    sent: Sequence[Request],
    seconds: float,
    connections: int = CONNECTIONS,
) -> Measured:
    return measure(
        Plan(
            port=port,
            tokens=side.tokens[:connections],
            requests=list(sent),
            warm_up_seconds=min(WARM_UP_SECONDS, seconds),
            seconds=seconds,
            roots=side.roots,
        )
    )


def _hop(what: str, with_hop: list[float], without: list[float]) -> Hop:
    return Hop(what, with_hop, without, difference(with_hop, without))


def _p50(rounds: list[Measured], at: int) -> float:
    times = [latency for measured in rounds for latency in measured.by_request[at]]
    return 1000 * percentile(times, 50)


def _cpu(rounds: list[Measured]) -> dict[str, float]:
    visits = sum(len(measured.latencies) for measured in rounds) / len(VISIT)
    return {
        part: 1000 * sum(measured.cpu_seconds[part] for measured in rounds) / visits
        for part in rounds[0].cpu_seconds
        if part != "generator"
    }


def _secret(side: Side, name: str) -> str:
    kept = json.loads((RUN_ROOT / side.running.name / "secrets.json").read_text())
    secret: str = kept["keys"][name]
    return secret


def _sqlalchemy(url: str) -> str:
    return url.replace("postgresql:", "postgresql+psycopg:", 1)
