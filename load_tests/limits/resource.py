"""Something of which there is only so much, and how much guests ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from load_tests.costs.prices import prices
from load_tests.costs.usage import Usage

from . import settings

MS = 1000

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


def at_peak(usage: Usage) -> dict[str, float]:
    """Return the requests a second of the busiest moments, by operation."""
    rates = usage.a_second(prices().hours)
    return {name: float(rate * usage.peak) for name, rate in rates.items()}


def stripe(rates: Rates) -> list[Resource]:
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
