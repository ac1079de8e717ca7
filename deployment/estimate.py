"""What a month of a deployment costs, before anything is created."""

from __future__ import annotations

from dataclasses import dataclass

from .settings import Deployment

# US dollars, us-east-1, without the free tier; read on 2026-11-23. Lambda, API Gateway,
# S3 and logs as Infracost has them, DynamoDB as AWS's price list has it.
LAMBDA_MILLION = 0.20
LAMBDA_GB_SECOND = 0.0000166667
REST_API_MILLION = 3.50
DYNAMODB_WRITE_MILLION = 0.625
DYNAMODB_READ_MILLION = 0.125
S3_GB_MONTH = 0.023
LOGS_GB = 0.50
SWEEPS = 60 * 24 * 30


@dataclass(frozen=True)
class Line:
    """A line of the bill: what, how much of it, and US dollars for it."""

    what: str
    how_much: str
    dollars: float


def monthly(deployment: Deployment) -> str:
    """Return the bill of a month as a table.

    `REQUESTS` in the environment says how many a month (100,000).
    """
    requests = float(deployment.asked("REQUESTS", "100000"))
    lines = bill(requests)
    total = sum(line.dollars for line in lines)
    rows = [f"{line.what:34} {line.how_much:>24} {line.dollars:9.2f}" for line in lines]
    head = f"{deployment.prefix}: {requests:,.0f} requests a month, US dollars"
    return "\n".join([head, *rows, f"{'total':34} {'':>24} {total:9.2f}"])


def bill(requests: float) -> list[Line]:
    """Return the lines of a month's bill.

    Args:
        requests: of guests in that month; a tenth of them is a checkout.
    """
    calls = requests * 1.5 + SWEEPS  # half of them call one more function
    seconds = requests * 0.1 * 0.5 + requests * 0.1 * 0.6 * 0.25 + SWEEPS * 0.05 * 0.25
    writes, reads = requests * 1.2, requests * 2 + SWEEPS
    return [
        Line("Lambda, requests", f"{calls:,.0f}", calls / 1e6 * LAMBDA_MILLION),
        Line("Lambda, time", f"{seconds:,.0f} GB-s", seconds * LAMBDA_GB_SECOND),
        Line("API Gateway", f"{requests:,.0f}", requests / 1e6 * REST_API_MILLION),
        Line(
            "DynamoDB, writes", f"{writes:,.0f}", writes / 1e6 * DYNAMODB_WRITE_MILLION
        ),
        Line("DynamoDB, reads", f"{reads:,.0f}", reads / 1e6 * DYNAMODB_READ_MILLION),
        Line("S3, site and packages", "0.2 GB", 0.2 * S3_GB_MONTH),
        Line("Logs", f"{calls / 1e6:,.2f} GB", calls / 1e6 * LOGS_GB),
        Line("Cognito, up to 10,000 guests", "", 0.0),
    ]
