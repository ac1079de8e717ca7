"""The bill of stages 1 and 2: instances that run whether anybody comes or not."""

from __future__ import annotations

from decimal import Decimal

from .instances import Fleet, Load, database, fleet
from .lines import GB, Bill, Line, Part, line, told
from .prices import Machine, PriceList
from .usage import SECONDS_AN_HOUR, Usage
from .work import Each, ServerFigures, Traffic, total

MS = Decimal(1000)
# What one capacity unit (LCU) of a load balancer is: new connections a second, open
# connections, GB an hour (Elastic Load Balancing's price page).
LCU = {"new": Decimal(25), "open": Decimal(3000), "gb": Decimal(1)}
CACHE = "cache.t4g.micro"


def bill(stage: int, usage: Usage, figures: ServerFigures, prices: PriceList) -> Bill:
    """Return a month's bill.

    Args:
        stage: 1 or 2.
        usage: what guests do.
        figures: what that costs in work.
        prices: what work costs.

    Raises:
        TooLarge: no machine of the price file is large enough.
    """
    lines = [
        *_instances(usage, figures, prices),
        _load_balancers(usage, figures, prices),
        _database(usage, figures, prices),
        *for_guests(usage, figures.traffic, prices),
        _logs(usage, figures, prices),
    ]
    if figures.cache_nodes:
        lines.append(_cache(figures, prices))
    return Bill(stage, tuple(lines), figures.basis)


def fleets(usage: Usage, figures: ServerFigures, prices: PriceList) -> dict[str, Fleet]:
    """Return the instances of each service."""
    address = prices["public_address_hours"]
    return {
        service.name: fleet(
            load(usage, service.cpu_ms, prices, service.worker_mib),
            prices.instances,
            figures.rules,
            address.of(Decimal(1)),
        )
        for service in figures.services
    }


def load(
    usage: Usage, cpu_ms: Each, prices: PriceList, worker_mib: Decimal = Decimal(0)
) -> Load:
    """Return cores that are busy: requests a second times CPU seconds of each.

    That is the utilisation law (P. Denning and J. Buzen, "The Operational Analysis of
    Queueing Network Models", ACM Computing Surveys 10:3, 1978). A vCPU is taken to be
    as fast as a core of the machine that was measured.

    Args:
        usage: what guests do.
        cpu_ms: CPU milliseconds by operation.
        prices: for the month's hours.
        worker_mib: memory of one worker.
    """
    rates = usage.a_second(prices.hours)
    mean = sum((rates[name] * cost / MS for name, cost in cpu_ms.items()), Decimal(0))
    return Load(mean=mean, peak=mean * usage.peak, worker_mib=worker_mib)


def database_of(usage: Usage, figures: ServerFigures, prices: PriceList) -> Machine:
    """Return the database's machine."""
    return database(
        load(usage, figures.database_cpu_ms, prices),
        prices.databases,
        figures.rules["cpu_used"],
    )


def for_guests(usage: Usage, traffic: Traffic, prices: PriceList) -> list[Line]:
    """Charge what guests get, which is the same at every stage."""
    out = Part("data_out_gb", traffic.bytes_out(usage) / GB)
    letters = Part("letters", total(usage, traffic.letters))
    return [
        line("Data out", [out], prices),
        line("E-mails (SES)", [letters], prices),
    ]


def _instances(usage: Usage, figures: ServerFigures, prices: PriceList) -> list[Line]:
    """Charge instances with the public address that each needs to reach Stripe."""
    address, lines = prices["public_address_hours"], []
    for name, them in fleets(usage, figures, prices).items():
        hours = prices.hours * them.count
        dollars = them.hourly * prices.hours + address.of(hours)
        verified = them.machine.verified and address.verified
        lines.append(Line("Instances", f"{name}: {them}", dollars, verified))
    return lines


def _load_balancers(usage: Usage, figures: ServerFigures, prices: PriceList) -> Line:
    """Charge a load balancer for guests, and one for calls between services."""
    inner = total(usage, figures.inner_calls)
    doors = Decimal(2 if figures.inner_calls else 1)
    units = _lcus(usage, figures, prices.hours) + inner / _seconds(prices) / LCU["new"]
    parts = [
        Part("load_balancer_hours", prices.hours * doors),
        Part("load_balancer_lcu_hours", units * prices.hours),
        Part("public_address_hours", prices.hours * figures.rules["zones"]),
    ]
    return line("Load balancers", parts, prices)


def _lcus(usage: Usage, figures: ServerFigures, hours: Decimal) -> Decimal:
    """Return capacity units in use on average: the largest of three measures."""
    rules = figures.rules
    new = usage.all_visits * rules["connections_a_visit"] / (hours * SECONDS_AN_HOUR)
    return max(
        new / LCU["new"],
        new * rules["connection_seconds"] / LCU["open"],
        figures.traffic.bytes_out(usage) / GB / hours / LCU["gb"],
    )


def _database(usage: Usage, figures: ServerFigures, prices: PriceList) -> Line:
    machine = database_of(usage, figures, prices)
    storage, gb = prices["database_gb_months"], figures.rules["database_gb"]
    dollars = machine.hourly * prices.hours + storage.of(gb)
    detail = f"{machine.name} in two zones, {told(gb)} GB"
    return Line("PostgreSQL (RDS)", detail, dollars, machine.verified)


def _cache(figures: ServerFigures, prices: PriceList) -> Line:
    node = next(each for each in prices.caches if each.name == CACHE)
    dollars = node.hourly * prices.hours * figures.cache_nodes
    detail = f"{figures.cache_nodes} x {node.name}"
    return Line("Redis (ElastiCache)", detail, dollars, node.verified)


def _logs(usage: Usage, figures: ServerFigures, prices: PriceList) -> Line:
    inner = total(usage, figures.inner_calls)
    lines = sum(usage.a_month().values()) + inner
    size = lines * figures.traffic.log_bytes / GB
    return line("Logs", [Part("logs_gb", size)], prices)


def _seconds(prices: PriceList) -> Decimal:
    return prices.hours * SECONDS_AN_HOUR
