"""What becomes of a spike of purchases, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass

from load_tests.costs import figures, servers
from load_tests.costs.prices import prices
from load_tests.costs.usage import Usage

from . import settings
from .queueing import Pollers, drain_seconds, throttled, worker_throughput
from .resource import at_peak
from .server_limits import work_of

SECONDS = 30.0
TIMES = 10.0


@dataclass(frozen=True)
class Spike:
    """Ten times the busiest moments, for half a minute.

    Attributes:
        rate: checkouts a second in it.
        finished: checkouts a second that stage 1's threads finish.
        refused: the share that Stripe's limit refuses where nothing waits in between.
        backlog: payments that stage 4 has in its queue when it ends.
        drain: seconds until they are worked off, new ones at the usual peak included.
    """

    rate: float
    finished: float
    refused: float
    backlog: float
    drain: float


def spike(usage: Usage, stripe_ms: float = 300) -> Spike:
    """Return what becomes of a spike.

    Args:
        usage: what guests do; its peak is what the spike is ten times of.
        stripe_ms: what Stripe takes for a checkout, milliseconds.
    """
    usual = at_peak(usage)["checkout"]
    rate = usual * TIMES
    limit = settings.number("stripe", "endpoint_rate")
    charged, many = settings.charged_a_second(stripe_ms), float(settings.consumers())
    backlog = max(0.0, rate - charged) * SECONDS
    return Spike(
        rate=rate,
        finished=_finished(usage, stripe_ms),
        refused=throttled(rate, SECONDS, limit, burst=limit),
        backlog=backlog,
        drain=drain_seconds(backlog, usual, many / charged, Pollers(many, 0, many)),
    )


def pollers() -> Pollers:
    """Return how Lambda's pollers grow when nothing else bounds them."""
    return Pollers(
        settings.number("sqs", "pollers_at_first"),
        settings.number("sqs", "pollers_a_minute"),
        settings.number("sqs", "pollers_at_most"),
    )


def _finished(usage: Usage, stripe_ms: float) -> float:
    work = figures.monolith()
    (fleet,) = servers.fleets(usage, work, prices()).values()
    waits = settings.quotas()["wait_ms"][1]
    checkouts = dict.fromkeys(work.services[0].cpu_ms, 0.0) | {"checkout": 1.0}
    done = work_of(work.services[0], waits, checkouts, stripe_ms)
    each = worker_throughput(settings.threads(), done.cpu, done.wait)
    return int(fleet.vcpus) * each
