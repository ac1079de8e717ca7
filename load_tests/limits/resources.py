"""What each stage has of everything, and how much of it guests ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from load_tests.costs import figures, servers
from load_tests.costs.figures import Each, FunctionFigures, ServerFigures, Service
from load_tests.costs.instances import Fleet
from load_tests.costs.prices import prices
from load_tests.costs.usage import Usage

from . import settings
from .queueing import refused, worker_throughput

MS = 1000
MIB = 2**20

Rates = Mapping[str, float]


@dataclass(frozen=True)
class Resource:
    """Something of which there is only so much.

    Attributes:
        name: what.
        asked: how much of it the busiest moments ask for.
        there: how much there is.
        unit: of both.
        then: what happens when it is not enough.
        assumed: whether a time or a count in it was never measured.
        grows: whether more guests ask for more of it.
    """

    name: str
    asked: float
    there: float
    unit: str
    then: str
    assumed: bool = True
    grows: bool = True

    @property
    def used(self) -> float:
        """The share of it that is asked for; above 1 it breaks."""
        return self.asked / self.there

    def breaks_at(self, users: float) -> float:
        """Return the users a month at which it breaks; what is asked grows with them.

        Args:
            users: with whom `asked` was reckoned.
        """
        if not self.grows or not self.used:
            return float("inf")
        return users / self.used


def resources(stage: int, usage: Usage, stripe_ms: float = 300) -> list[Resource]:
    """Return what may break first, the one that does so first.

    Stages 1 and 2 run on the instances that the bill of this usage has.

    Args:
        stage: 1 to 4.
        usage: what guests do; its peak is the busiest moments.
        stripe_ms: what Stripe takes for a checkout, milliseconds.
    """
    rates = at_peak(usage)
    if stage in (1, 2):
        found = _of_servers(stage, usage, rates, stripe_ms)
    else:
        found = _of_functions(stage, usage, rates, stripe_ms)
    return sorted(found, key=lambda resource: -resource.used)


def at_peak(usage: Usage) -> dict[str, float]:
    """Return the requests a second of the busiest moments, by operation."""
    rates = usage.a_second(prices().hours)
    return {name: float(rate * usage.peak) for name, rate in rates.items()}


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


def _of_servers(
    stage: int, usage: Usage, rates: Rates, stripe_ms: float
) -> list[Resource]:
    work = figures.monolith() if stage == 1 else figures.services()
    fleets = servers.fleets(usage, work, prices())
    found = [*_stripe(rates), _database(usage, work)]
    for service in work.services:
        found += _of_workers(stage, service, fleets[service.name], rates, stripe_ms)
    if stage == 1:
        found.append(_connections(usage, work, rates, stripe_ms))
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
    machine = servers.database_of(usage, work, prices())
    a_connection = settings.number("postgres", "bytes_a_connection")
    accepted = min(5000, int(float(machine.mib) * MIB / a_connection))
    workers = accepted // settings.connections()
    done, threads = _work(1, work.services[0], rates, stripe_ms)
    return Resource(
        f"PostgreSQL's connections ({accepted}), if instances were added",
        done.rate,
        workers * worker_throughput(threads, done.cpu, done.wait),
        "requests/s",
        "new workers get no connection",
    )


def _of_functions(
    stage: int, usage: Usage, rates: Rates, stripe_ms: float
) -> list[Resource]:
    used = figures.functions(stage)
    preflights = figures.assumptions()["functions"]["preflights_a_visit"]
    visits = float(usage.all_visits / prices().hours / 3600 * usage.peak)
    guests = sum(rate for name, rate in rates.items() if name != "sign_in")
    guests += visits * float(preflights)
    inner = sum(
        rates[call.operation] * float(call.times)
        for call in used.calls
        if call.api and call.operation
    )
    asked = inner + visits * float(preflights)
    found = [
        Resource(
            "API Gateway, our own limit (public_api.yaml)",
            guests,
            settings.api_rate(stage),
            "requests/s",
            "guests get 429",
            False,
        ),
        Resource(
            "API Gateway, the account's",
            asked,
            settings.number("api_gateway", "rate"),
            "requests/s",
            "guests and services get 429",
        ),
        *_concurrency(used, rates, stripe_ms),
        *_dynamodb(used, rates),
        Resource(
            "e-mails, while SES is in its sandbox",
            rates["checkout"],
            settings.number("ses", "sandbox_rate"),
            "e-mails/s",
            "letters come late",
        ),
    ]
    if stage == 3:
        return [*found, *_stripe(rates)]
    return [*found, *_of_queue(usage, rates)]


def _concurrency(
    used: FunctionFigures, rates: Rates, stripe_ms: float
) -> list[Resource]:
    """Return the environments that are busy at once: Little's law."""
    busy: dict[str, float] = {}
    for call in used.calls:
        if call.operation:
            lasting = float(call.times) * duration(call, stripe_ms)
            each = busy.get(call.function, 0.0)
            busy[call.function] = each + rates[call.operation] * lasting
    places = settings.number("lambda", "concurrency")
    ramp = settings.number("lambda", "ramp_environments")
    seconds = settings.number("lambda", "ramp_seconds")
    most = max(busy, key=lambda name: busy[name])
    lost = 100 * refused(places, int(places))
    return [
        Resource(
            "Lambda, concurrent calls",
            sum(busy.values()),
            places,
            "calls",
            f"{lost:.0f} % of the calls are refused there, and more beyond",
        ),
        Resource(
            f"Lambda, new environments of {most} within {seconds:g} s",
            busy[most],
            ramp,
            "environments",
            "a sudden crowd is refused until there are enough",
        ),
    ]


def duration(call: figures.Call, stripe_ms: float = 300) -> float:
    """Return the seconds of one call; 300 ms of Stripe's are in what was assumed."""
    others = stripe_ms - 300 if _waits_for_stripe(call) else 0.0
    return max(1.0, float(call.billed_ms) + others) / MS


def _waits_for_stripe(call: figures.Call) -> bool:
    slow = float(call.billed_ms) > 300
    return slow and call.operation == "checkout"


def _dynamodb(used: FunctionFigures, rates: Rates) -> list[Resource]:
    """Return hot partitions; a table of its own for each service is asked for less."""
    found = []
    for hot in settings.quotas()["hot"]:
        units = sum(rates[name] * float(count) for name, count in hot["units"].items())
        limit = settings.number("dynamodb", hot["limit"])
        found.append(
            Resource(
                f"DynamoDB, {hot['what']}",
                units,
                limit,
                "units/s",
                "throttled: tries again, then 503",
            )
        )
    for kind in ("writes", "reads"):
        units = sum(
            rates[name] * float(each.get(kind, 0))
            for name, each in used.operations.items()
        )
        limit = settings.number("dynamodb", f"table_{kind}")
        found.append(
            Resource(
                f"DynamoDB, all {kind}, as if to one new table",
                units,
                limit,
                "units/s",
                "throttled until the table has grown",
            )
        )
    return found


def _of_queue(usage: Usage, rates: Rates) -> list[Resource]:
    """Return what the queue needs: it takes any peak, so the mean must be carried."""
    each = settings.number("consumer_ms") / MS
    mean = rates["checkout"] / float(usage.peak)
    charged = settings.consumers() / each
    return [
        Resource(
            f"payments: {settings.consumers()} at once, the mean over the month",
            mean,
            charged,
            "payments/s",
            "the queue grows for ever",
        ),
        Resource(
            "Stripe, as fast as the queue lets through",
            charged,
            settings.number("stripe", "endpoint_rate"),
            "requests/s",
            "Stripe answers 429; the message waits",
            grows=False,
        ),
        Resource(
            "messages in flight",
            float(settings.consumers()),
            settings.number("sqs", "in_flight"),
            "messages",
            "no more are given out",
            grows=False,
        ),
    ]


def _stripe(rates: Rates) -> list[Resource]:
    """Return Stripe's limits: a checkout calls each of two endpoints once."""
    then = "Stripe answers 429, guests get 503"
    calls = rates["checkout"] * settings.number("stripe", "calls_a_checkout")
    limits = (
        ("an endpoint", rates["checkout"], "endpoint_rate"),
        ("a live account", calls, "account_rate"),
    )
    return [
        Resource(
            f"Stripe, {of}",
            asked,
            settings.number("stripe", limit),
            "requests/s",
            then,
            assumed=False,
        )
        for of, asked, limit in limits
    ]
