"""What a month of a deployment costs, before anything is created.

The cost model reckons it (`load_tests/costs`): its prices, its guests, its assumptions.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from load_tests.costs.lines import Line
from load_tests.costs.stages import Terms, bill
from load_tests.costs.usage import Usage, of_requests

from .settings import Deployment, SettingsError


def monthly(deployment: Deployment) -> str:
    """Return the bill of a month as a table.

    `REQUESTS` in the environment says how many requests a month (100,000), and
    `API_DETAILED_METRICS` whether the API has metrics of each method.

    Raises:
        SettingsError: that is no number of requests.
    """
    usage = _usage(deployment.asked("REQUESTS", "100000"))
    detailed = deployment.asked("API_DETAILED_METRICS") == "true"
    reckoned = bill(deployment.stage, usage, Terms(detailed_metrics=detailed))
    requests = sum(usage.a_month().values())
    head = (
        f"{deployment.prefix}: {requests:,.0f} requests a month, by {usage.users:,.0f} "
        "guests; US dollars, without the free tier"
    )
    total = f"{'total':22} {reckoned.total:9.2f}"
    rows = [_row(line) for line in reckoned.lines]
    return "\n".join([head, *rows, total, *reckoned.basis, "More: make bill"])


def _usage(asked: str) -> Usage:
    """Return the guests who make so many requests, each as the cost model has them.

    Raises:
        SettingsError: it is no number of requests.
    """
    try:
        requests = Decimal(asked)
        if not requests.is_finite():
            raise ValueError(asked)
        # Cognito signs guests in: that is no request to this API.
        return of_requests(requests, Usage(Decimal(1), sign_ins=Decimal(0)))
    except (InvalidOperation, ValueError) as error:
        raise SettingsError(
            f"REQUESTS={asked}: give the requests of a month, 100000 for example."
        ) from error


def _row(line: Line) -> str:
    doubt = "" if line.verified else " (price unverified)"
    return f"{line.name:22} {line.dollars:9.2f}  {line.detail}{doubt}"
