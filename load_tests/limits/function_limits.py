"""What may break first of stages 3 and 4: quotas, ours and AWS's."""

from __future__ import annotations

from load_tests.costs import figures
from load_tests.costs.prices import prices
from load_tests.costs.usage import Usage
from load_tests.costs.work import Call, FunctionFigures

from . import settings
from .queueing import refused
from .resource import MS, Rates, Resource, stripe


def of_functions(
    stage: int, usage: Usage, rates: Rates, stripe_ms: float
) -> list[Resource]:
    """Return what functions, tables, queues and Stripe bear, and what is asked of them.

    Args:
        stage: 3 or 4.
        usage: what guests do.
        rates: requests a second of the busiest moments, by operation.
        stripe_ms: what Stripe takes for a checkout, milliseconds.
    """
    used = figures.functions(stage)
    preflights = used.rules["preflights_a_visit"]
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
        return [*found, *stripe(rates)]
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


def duration(call: Call, stripe_ms: float = 300) -> float:
    """Return the seconds of one call; 300 ms of Stripe's are in what was assumed."""
    others = stripe_ms - 300 if _waits_for_stripe(call) else 0.0
    return max(1.0, float(call.billed_ms) + others) / MS


def _waits_for_stripe(call: Call) -> bool:
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
    mean = rates["checkout"] / float(usage.peak)
    charged = settings.charged_a_second()
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
