"""What requests cost in work: the shapes that a stage's figures have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from .usage import Usage

Each = Mapping[str, Decimal]


def total(usage: Usage, each: Each) -> Decimal:
    """Return what a month's requests make of something.

    Args:
        usage: what guests do.
        each: how much of it a request has, by operation.
    """
    month = usage.a_month()
    return sum((month[name] * much for name, much in each.items()), Decimal(0))


@dataclass(frozen=True)
class Traffic:
    """What requests leave behind, whichever stage answers them.

    Attributes:
        answer_bytes: of an answer by operation.
        bytes_a_visit: of the page's files.
        files_a_visit: how many of these are asked for.
        gb_stored: the page and what is deployed.
        log_bytes: of a line of the log.
        letters: e-mails by operation.
    """

    answer_bytes: Each
    bytes_a_visit: Decimal
    files_a_visit: Decimal
    gb_stored: Decimal
    log_bytes: Decimal
    letters: Each

    def bytes_out(self, usage: Usage) -> Decimal:
        """Return the bytes of a month that leave for guests: answers and the page."""
        page = usage.all_visits * self.bytes_a_visit
        return total(usage, self.answer_bytes) + page


@dataclass(frozen=True)
class Service:
    """A server program, of which copies run on instances.

    Attributes:
        name: of the service.
        cpu_ms: CPU milliseconds of one core by operation.
        worker_mib: memory of one worker, its part of what is shared included (PSS).
    """

    name: str
    cpu_ms: Each
    worker_mib: Decimal


@dataclass(frozen=True)
class ServerFigures:
    """Stage 1 or 2.

    Attributes:
        services: what runs on instances.
        database_cpu_ms: CPU milliseconds of PostgreSQL by operation.
        inner_calls: calls between services by operation.
        cache_nodes: of Redis.
        traffic: what guests' requests leave behind.
        rules: how instances are chosen, and the like, by name.
        basis: where the figures are from, a line each.
    """

    services: tuple[Service, ...]
    database_cpu_ms: Each
    inner_calls: Each
    cache_nodes: Decimal
    traffic: Traffic
    rules: Each
    basis: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """One call of a function, for each request of an operation or so often a month.

    Attributes:
        function: which.
        memory_mb: what it is given.
        times: a request of the operation, or a month when there is none.
        billed_ms: of one call, without beginnings.
        init_ms: billed when a call begins a new environment.
        api: whether API Gateway passes it on.
        reads: read units of DynamoDB of one call, beside the operation's.
        operation: which, or nothing.
    """

    function: str
    memory_mb: Decimal
    times: Decimal
    billed_ms: Decimal
    init_ms: Decimal
    api: bool
    reads: Decimal
    operation: str


@dataclass(frozen=True)
class FunctionFigures:
    """Stage 3 or 4.

    Attributes:
        calls: of functions.
        operations: read and write units, queue requests and publishes by operation.
        polls: requests a month that ask queues in which there is nothing.
        alarms: on queues.
        traffic: what guests' requests leave behind.
        rules: shares and sizes by name.
        basis: where the figures are from, a line each.
    """

    calls: tuple[Call, ...]
    operations: Mapping[str, Each]
    polls: Decimal
    alarms: Decimal
    traffic: Traffic
    rules: Each
    basis: tuple[str, ...]
