"""What is measured: the product in turns with bare views, and each kind of request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import requests

from load_tests.intervals import Figure, ratio
from tests.guest import Guest

from . import guests
from .load import LoadError, Measured, Plan, Request, measure
from .servers import Server, Servers
from .statistics import percentile

BARE_VIEWS = {
    "same_statements": "bare view, the same two statements: session, products",
    "in_a_transaction": "the same between SQLAlchemy's usual BEGIN and ROLLBACK",
    "one_statement": "bare view, the products' statement only",
    "no_database": "bare view, no database",
}
CONNECTIONS = 16
WARM_UP_SECONDS = 1.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        rounds: how often the servers take turns.
        seconds: how long each is measured in each round, after the warm-up.
    """

    rounds: int
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """The product against one bare view.

    Attributes:
        against: which view.
        product: the product's requests a second in each round.
        bare: the view's.
        ratio: the product's throughput over the view's.
        cpu: CPU milliseconds a request of each one's workers, the median round.
        database_cpu: the same of PostgreSQL.
    """

    against: str
    product: list[float]
    bare: list[float]
    ratio: Figure
    cpu: tuple[float, float]
    database_cpu: tuple[float, float]


@dataclass(frozen=True)
class Figures:
    """One kind of request at one load; times in milliseconds, memory in MiB."""

    operation: str
    connections: int
    requests: int
    throughput: float
    p50: float
    p95: float
    p99: float
    cpu: float
    generator_share: float
    memory: list[dict[str, float]]


def check_same_bytes(servers: Servers, guest: Guest) -> int:
    """Make sure that all servers give the same answer; return its length in bytes.

    Raises:
        LoadError: they do not, so their throughputs cannot be compared.
    """
    (request,) = guests.PRODUCTS
    answers = {}
    for name, server in [("product", servers.product), *servers.bare.items()]:
        url = f"http://127.0.0.1:{server.port}{request.path}"
        answer = requests.get(url, headers=guest.http.headers, timeout=30)
        answer.raise_for_status()
        answers[name] = answer.content
    different = [name for name, it in answers.items() if it != answers["product"]]
    if different:
        raise LoadError(
            f"other bytes than the product's from: {', '.join(different)}. "
            "Bring load_tests/bench/bare/views.py in step with the product."
        )
    return len(answers["product"])


def compare(
    servers: Servers, tokens: list[str], effort: Effort, say: Say
) -> tuple[list[Comparison], float]:
    """Measure the product and the bare views in turns, A B C D A B C D ...

    Returns:
        The product against each view, and the generator's largest share of one core.

    Raises:
        LoadError: any answer was not the right one.
    """
    turns = {"product": servers.product, **servers.bare}
    seen: dict[str, list[Measured]] = {name: [] for name in turns}
    for number in range(1, effort.rounds + 1):
        for name, server in turns.items():
            seen[name].append(
                _load(servers, server, tokens, guests.PRODUCTS, effort.seconds)
            )
        rates = "  ".join(f"{name} {seen[name][-1].throughput:.0f}/s" for name in turns)
        say(f"round {number} of {effort.rounds}: {rates}")
    comparisons = [
        _comparison(name, seen["product"], seen[name]) for name in BARE_VIEWS
    ]
    shares = [
        each.cpu_share("generator") for rounds in seen.values() for each in rounds
    ]
    return comparisons, max(shares)


def figures(
    servers: Servers,
    operation: str,
    sent: Sequence[Request],
    tokens: list[str],
    seconds: float,
) -> Figures:
    """Measure one kind of request of the product at one load.

    Raises:
        LoadError: any answer was not the right one.
    """
    seen = _load(servers, servers.product, tokens, sent, seconds)
    times = [1000 * latency for latency in seen.latencies]
    return Figures(
        operation=operation,
        connections=len(tokens),
        requests=len(times),
        throughput=seen.throughput,
        p50=percentile(times, 50),
        p95=percentile(times, 95),
        p99=percentile(times, 99),
        cpu=seen.cpu_per_request("server"),
        generator_share=seen.cpu_share("generator"),
        memory=[asdict(worker) for worker in servers.product.memory()],
    )


def plain(value: Any) -> Any:
    """Return dataclasses as what JSON can hold."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    return asdict(value)


def _load(
    servers: Servers,
    server: Server,
    tokens: list[str],
    sent: Sequence[Request],
    seconds: float,
) -> Measured:
    return measure(
        Plan(
            port=server.port,
            tokens=tokens,
            requests=list(sent),
            warm_up_seconds=min(WARM_UP_SECONDS, seconds),
            seconds=seconds,
            roots={"server": server.master, **servers.roots},
        )
    )


def _comparison(
    against: str, product: list[Measured], bare: list[Measured]
) -> Comparison:
    ours = [each.throughput for each in product]
    theirs = [each.throughput for each in bare]

    def cpu(name: str) -> tuple[float, float]:
        mine, other = (
            percentile([each.cpu_per_request(name) for each in rounds], 50)
            for rounds in (product, bare)
        )
        return mine, other

    return Comparison(
        against=against,
        product=ours,
        bare=theirs,
        ratio=ratio(ours, theirs),
        cpu=cpu("server"),
        database_cpu=cpu("database"),
    )
