"""The bill of stages 3 and 4: what is used is paid for, and little else."""

from __future__ import annotations

from decimal import Decimal

from .lines import GB, Bill, Line, Part, line
from .prices import NOTHING, PriceList
from .servers import for_guests
from .usage import Usage
from .work import Call, Each, FunctionFigures, Traffic

NO_COGNITO = "none"
MS_GB = Decimal(1000 * 1024)  # milliseconds times MB, in a GB-second


def bill(
    stage: int,
    usage: Usage,
    figures: FunctionFigures,
    prices: PriceList,
    cognito: str = "essentials",
    detailed_metrics: bool = False,
) -> Bill:
    """Return a month's bill.

    Args:
        stage: 3 or 4.
        usage: what guests do; their peak costs nothing more.
        figures: what that costs in work.
        prices: what work costs.
        cognito: the user pool's plan: `lite`, `essentials` or `plus`; with `none`
            somebody else keeps the accounts, and is not in the bill.
        detailed_metrics: whether API Gateway writes metrics of each method.
    """
    rules, traffic = figures.rules, figures.traffic
    times = [(call, _times(call, usage)) for call in figures.calls]
    lines = [
        *_lambda(times, rules, prices),
        _api(times, usage, rules, prices),
        *_dynamodb(times, usage, figures, rules, prices),
        _site(usage, traffic, prices),
        *for_guests(usage, traffic, prices),
        _logs(times, traffic, prices),
    ]
    metrics = _metrics(usage, figures, rules, prices) if detailed_metrics else NOTHING
    if metrics or figures.alarms:
        lines.append(_watching(metrics, figures.alarms, prices))
    if cognito != NO_COGNITO:
        users = Part(f"cognito_{cognito}_users", usage.users)
        lines.append(line(f"Cognito ({cognito})", [users], prices))
    if figures.polls:
        lines += _messages(usage, figures, prices)
    return Bill(stage, tuple(lines), figures.basis)


def gb_seconds(call: Call, cold: Decimal) -> Decimal:
    """Return what one call is billed: its time, and its part of new beginnings.

    GB-seconds are memory times billed duration (AWS Lambda's price page); since August
    2025 the beginning of an environment is billed too (AWS compute blog).

    Args:
        call: of a function.
        cold: the share of calls that begin a new environment.
    """
    return call.memory_mb * (call.billed_ms + cold * call.init_ms) / MS_GB


def _times(call: Call, usage: Usage) -> Decimal:
    if not call.operation:
        return call.times
    return usage.a_month()[call.operation] * call.times


def _lambda(
    times: list[tuple[Call, Decimal]], rules: Each, prices: PriceList
) -> list[Line]:
    calls = sum((count for _, count in times), Decimal(0))
    time = sum(
        (count * gb_seconds(call, rules["cold"]) for call, count in times), Decimal(0)
    )
    return [
        line("Lambda, requests", [Part("lambda_requests", calls)], prices),
        line("Lambda, time", [Part("lambda_gb_seconds", time)], prices),
    ]


def _api(
    times: list[tuple[Call, Decimal]],
    usage: Usage,
    rules: Each,
    prices: PriceList,
) -> Line:
    """Charge guests' requests, those between services, and browsers' preflights."""
    passed = sum((count for call, count in times if call.api), Decimal(0))
    asked = passed + usage.all_visits * rules["preflights_a_visit"]
    return line("API Gateway", [Part("api_rest_requests", asked)], prices)


def _dynamodb(
    times: list[tuple[Call, Decimal]],
    usage: Usage,
    figures: FunctionFigures,
    rules: Each,
    prices: PriceList,
) -> list[Line]:
    reads = _units(usage, figures, "reads")
    reads += sum((count * call.reads for call, count in times), Decimal(0))
    orders = usage.a_month()["checkout"] * rules["dynamodb_gb_an_order"]
    writes = _units(usage, figures, "writes")
    stored = rules["dynamodb_gb"] + orders
    return [
        line("DynamoDB, writes", [Part("dynamodb_writes", writes)], prices),
        line("DynamoDB, reads", [Part("dynamodb_reads", reads)], prices),
        line("DynamoDB, storage", [Part("dynamodb_gb_months", stored)], prices),
    ]


def _messages(usage: Usage, figures: FunctionFigures, prices: PriceList) -> list[Line]:
    asked = _units(usage, figures, "queue_requests") + figures.polls
    published = _units(usage, figures, "publishes")
    return [
        line("Queues (SQS)", [Part("sqs_requests", asked)], prices),
        line("Topics (SNS)", [Part("sns_publishes", published)], prices),
    ]


def _site(usage: Usage, traffic: Traffic, prices: PriceList) -> Line:
    parts = [
        Part("s3_gb_months", traffic.gb_stored),
        Part("s3_gets", usage.all_visits * traffic.files_a_visit),
    ]
    return line("Site (S3)", parts, prices)


def _logs(
    times: list[tuple[Call, Decimal]], traffic: Traffic, prices: PriceList
) -> Line:
    calls = sum((count for _, count in times), Decimal(0))
    return line("Logs", [Part("logs_gb", calls * traffic.log_bytes / GB)], prices)


def _metrics(
    usage: Usage,
    figures: FunctionFigures,
    rules: Each,
    prices: PriceList,
) -> Decimal:
    """Return how many metrics of methods are paid for.

    A custom metric is paid for in the hours in which it is written (CloudWatch's price
    page). Where calls come one by one and at random, n of them an hour leave a share of
    exp(-n) of the hours without one (Poisson).
    """
    month = usage.a_month()
    preflights = (
        usage.all_visits * rules["preflights_a_visit"] / len(figures.operations)
    )
    written = sum(
        (
            1 - (-count / prices.hours).exp()
            for operation in figures.operations
            for count in (month[operation], min(preflights, month[operation]))
        ),
        Decimal(0),
    )
    return written * rules["metrics_a_method"]


def _watching(metrics: Decimal, alarms: Decimal, prices: PriceList) -> Line:
    parts = [Part("metrics", metrics), Part("alarms", alarms)]
    return line("Metrics and alarms", [part for part in parts if part.quantity], prices)


def _units(usage: Usage, figures: FunctionFigures, name: str) -> Decimal:
    month = usage.a_month()
    return sum(
        (
            month[operation] * each.get(name, Decimal(0))
            for operation, each in figures.operations.items()
        ),
        Decimal(0),
    )
