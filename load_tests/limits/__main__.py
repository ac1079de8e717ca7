"""What breaks first: `python -m load_tests.limits --users 100000 --peak 50`."""

from __future__ import annotations

import argparse
import sys

from load_tests.costs.__main__ import usage_arguments, usage_of
from load_tests.costs.figures import FiguresError
from load_tests.costs.instances import TooLarge
from load_tests.costs.table import NAMES, columns
from load_tests.costs.usage import Usage

from .resource import Resource, at_peak
from .resources import resources
from .settings import SettingNotFound, number
from .spike import SECONDS, TIMES, Spike, pollers, spike


def main() -> int:
    """Print what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.limits", description=__doc__
    )
    usage_arguments(parser)
    parser.add_argument(
        "--stripe-ms", type=float, default=300, help="Stripe's, for a checkout (300)"
    )
    asked = parser.parse_args()
    try:
        usage = usage_of(asked)
        if not usage.users or asked.stripe_ms < 0:
            raise ValueError("Without guests nothing breaks: users is above 0.")
        print(report(usage, asked.stripe_ms))
    except ValueError as error:
        parser.error(str(error))
    except (FiguresError, TooLarge, SettingNotFound) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def report(usage: Usage, stripe_ms: float) -> str:
    """Return for each stage what is asked of it, and what breaks first."""
    rates = at_peak(usage)
    words = "  ".join(f"{name} {rate:.3g}" for name, rate in rates.items())
    head = (
        f"{usage.users:,.0f} users a month; the busiest moments, {usage.peak:f} times "
        f"the mean, ask for {sum(rates.values()):.3g} requests a second: {words}"
    )
    parts = [head, *(_stage(stage, usage, stripe_ms) for stage in NAMES)]
    return "\n\n".join([*parts, _spike(spike(usage, stripe_ms)), _ramp(), NOTES])


NOTES = (
    "~ counted or assumed, not measured. Stages 1 and 2 are on the instances of their "
    "bill, one worker a vCPU.\nNo quota was ever met on AWS: they are as documented."
)


def _stage(stage: int, usage: Usage, stripe_ms: float) -> str:
    found = resources(stage, usage, stripe_ms)
    users = float(usage.users)
    first, *others = sorted(found, key=lambda resource: resource.breaks_at(users))
    part = first.name.partition(":")[0]
    then = next(each for each in others if each.name.partition(":")[0] != part)
    rows = [["", "asked", "there is", "", "used", "breaks at users"]]
    rows += [_row(resource, users) for resource in found]
    return "\n".join(
        [
            f"Stage {stage}, {NAMES[stage]}",
            f"  breaks first: {_told(first, users)}",
            f"  next: {_told(then, users)}",
            columns(rows),
        ]
    )


def _told(resource: Resource, users: float) -> str:
    at = resource.breaks_at(users)
    return f"{resource.name}, at {at:,.0f} users: {resource.then}"


def _row(resource: Resource, users: float) -> list[str]:
    at = resource.breaks_at(users)
    return [
        resource.name + (" ~" if resource.assumed else ""),
        f"{resource.asked:,.3g}",
        f"{resource.there:,.6g}",
        resource.unit,
        f"{100 * resource.used:.1f} %",
        "never" if at == float("inf") else f"{at:,.0f}",
    ]


def _spike(found: Spike) -> str:
    threads = (
        "enough; Stripe refuses as below"
        if found.finished >= found.rate
        else "the rest waits, and times out"
    )
    refused = f"{100 * found.refused:.0f} %"
    return "\n".join(
        [
            f"A spike of {TIMES:g} times that for {SECONDS:g} s, {found.rate:.3g} "
            "checkouts a second:",
            f"  stage 1: its threads finish {found.finished:.3g} a second at most: "
            + threads,
            f"  stage 3: Lambda takes it all; Stripe refuses {refused}: 503",
            f"  stage 4: all are accepted; {found.backlog:,.0f} wait in the queue, "
            f"which is empty after {found.drain:,.0f} s",
        ]
    )


def _ramp() -> str:
    grown = pollers()
    return (
        f"Pollers of a queue grow from {grown.first:g} to {grown.most:,.0f} in "
        f"{grown.ramp_seconds / 60:.2f} minutes, if MaximumConcurrency lets them; "
        f"a message waits for {number('sqs', 'retention_days'):g} days at most."
    )


if __name__ == "__main__":
    sys.exit(main())
