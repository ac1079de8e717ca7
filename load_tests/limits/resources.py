"""What may break first of any stage."""

from __future__ import annotations

from load_tests.costs.usage import Usage

from .function_limits import of_functions
from .resource import Resource, at_peak
from .server_limits import of_servers


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
        found = of_servers(stage, usage, rates, stripe_ms)
    else:
        found = of_functions(stage, usage, rates, stripe_ms)
    return sorted(found, key=lambda resource: -resource.used)
