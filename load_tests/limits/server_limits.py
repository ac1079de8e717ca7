"""What may break first of stages 1 and 2."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from load_tests.costs import figures, servers
from load_tests.costs.instances import Fleet, TooLarge
from load_tests.costs.prices import prices
from load_tests.costs.usage import Usage
from load_tests.costs.work import Each, ServerFigures, Service

from . import settings
from .queueing import worker_throughput
from .resource import MS, Rates, Resource, stripe

MIB = 2**20


@dataclass(frozen=True)
class Work:
    """What one service does of the whole stage's requests.

    Attributes:
        rate: requests a second that reach it.
        cpu: seconds of computing of one of them, on average.
        wait: seconds of waiting of one of them, on average.
    """

    rate: float
    cpu: float
    wait: float


def work_of(service: Service, wait_ms: Each, rates: Rates, stripe_ms: float) -> Work:
    """Return the work of a service; its requests are those that it computes for.

    Args:
        service: with its CPU by operation.
        wait_ms: milliseconds of waiting by operation.
        rates: of the stage's requests.
        stripe_ms: what its checkout waits for Stripe on top; 0 if another does.
    """
    rate = sum(rates[name] for name in service.cpu_ms)
    cpu = sum(rates[name] * float(ms) for name, ms in service.cpu_ms.items())
    wait = sum(rates[name] * float(wait_ms.get(name, 0)) for name in service.cpu_ms)
    wait += rates["checkout"] * stripe_ms
    if not rate:
        return Work(0.0, 0.0, 0.0)
    return Work(rate, cpu / rate / MS, wait / rate / MS)


def of_servers(
    stage: int, usage: Usage, rates: Rates, stripe_ms: float
) -> list[Resource]:
    """Return what workers, PostgreSQL and Stripe bear, and what is asked of them.

    Args:
        stage: 1 or 2.
        usage: what guests do; their bill has the instances.
        rates: requests a second of the busiest moments, by operation.
        stripe_ms: what Stripe takes for a checkout, milliseconds.
    """
    work = figures.monolith() if stage == 1 else figures.services()
    fleets = servers.fleets(usage, work, prices())
    found = [*stripe(rates), _database(usage, work)]
    for service in work.services:
        found += _of_workers(stage, service, fleets[service.name], rates, stripe_ms)
    if stage == 1:
        found.append(_connections(usage, work, rates, stripe_ms))
    else:
        found.append(_connections_of_services(usage, work))
    return found


def _of_workers(
    stage: int, service: Service, fleet: Fleet, rates: Rates, stripe_ms: float
) -> list[Resource]:
    """Return threads, processors, and what both together let through."""
    done, threads = _work(stage, service, rates, stripe_ms)
    workers = int(fleet.vcpus)  # one each, as instances are chosen
    most = workers * worker_throughput(threads, done.cpu, done.wait)
    where = f"{service.name}, {fleet}"
    return [
        Resource(
            f"{where}: threads ({workers} x {threads})",
            done.rate * (done.cpu + done.wait),
            workers * threads,
            "threads",
            "requests queue, then time out",
        ),
        Resource(
            f"{where}: processors",
            done.rate * done.cpu,
            workers,
            "cores",
            "everything slows down",
        ),
        Resource(
            f"{where}: both together",
            done.rate,
            most,
            "requests/s",
            "requests queue, then time out",
        ),
    ]


def _work(
    stage: int, service: Service, rates: Rates, stripe_ms: float
) -> tuple[Work, int]:
    quotas = settings.quotas()
    waits = quotas["wait_ms"][Decimal(stage)]
    home = settings.MONOLITH
    if stage == 2:
        waits, home = waits[service.name], settings.SERVICES / service.name
    waits_for_stripe = quotas["stripe_waits"][Decimal(stage)] == service.name
    stripe = stripe_ms if waits_for_stripe else 0.0
    return work_of(service, waits, rates, stripe), settings.threads(home)


def _database(usage: Usage, work: ServerFigures) -> Resource:
    machine = servers.database_of(usage, work, prices())
    load = servers.load(usage, work.database_cpu_ms, prices())
    return Resource(
        f"PostgreSQL's processors, {machine.name}",
        float(load.peak),
        float(machine.vcpus),
        "cores",
        "everything slows down",
    )


def _connections(
    usage: Usage, work: ServerFigures, rates: Rates, stripe_ms: float
) -> Resource:
    """Return how far more instances help: each brings connections to one database."""
    accepted = _accepted(usage, work)
    workers = accepted // settings.connections()
    done, threads = _work(1, work.services[0], rates, stripe_ms)
    return Resource(
        f"PostgreSQL's connections ({accepted}), if instances were added",
        done.rate,
        workers * worker_throughput(threads, done.cpu, done.wait),
        "requests/s",
        "new workers get no connection",
    )


def _connections_of_services(usage: Usage, work: ServerFigures) -> Resource:
    """Return with how many users the bill's instances hold more than there are.

    Each worker of each service that has a pool may fill it, and all pools share one
    database.
    """
    held, accepted = held_connections(usage, work), _accepted(usage, work)
    return Resource(
        f"PostgreSQL's connections ({held} held of {accepted}), if instances are added "
        "as the bill does",
        float(usage.users),
        float(_users_beyond(usage, work)),
        "users",
        "new workers get no connection",
    )


def held_connections(usage: Usage, work: ServerFigures) -> int:
    """Return the connections that the workers of the bill's instances may hold."""
    return sum(
        int(fleet.vcpus) * settings.pooled(service)  # one worker each
        for service, fleet in servers.fleets(usage, work, prices()).items()
    )


def _accepted(usage: Usage, work: ServerFigures) -> int:
    machine = servers.database_of(usage, work, prices())
    a_connection = settings.number("postgres", "bytes_a_connection")
    return min(5000, int(float(machine.mib) * MIB / a_connection))


def _users_beyond(usage: Usage, work: ServerFigures) -> int:
    """Return the fewest users whose instances hold more than the database accepts."""

    def too_many(users: int) -> bool:
        more = replace(usage, users=Decimal(users))
        try:
            return held_connections(more, work) > _accepted(more, work)
        except TooLarge:
            return True

    most = 1
    while not too_many(most):
        most *= 2
    least = most // 2
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if too_many(middle) else (middle, most)
    return most
