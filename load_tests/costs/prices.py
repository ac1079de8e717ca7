"""Prices as data: `prices.yaml`, read with every figure as an exact decimal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("prices.yaml")
NOTHING = Decimal(0)


class PriceError(Exception):
    """The price file lacks something, or has it in a way that it cannot be."""


@dataclass(frozen=True)
class Tier:
    """Part of a quantity and its price.

    Attributes:
        up_to: the quantity where the next tier begins; None for the last one.
        price: US dollars for `Price.per` units of what lies in this tier.
    """

    up_to: Decimal | None
    price: Decimal


@dataclass(frozen=True)
class Price:
    """What a quantity costs.

    Attributes:
        unit: what is counted, in the plural.
        per: how many units the price is for.
        tiers: in order, the last one without an end.
        free: units a month that the free tier takes away; only Lambda's are known.
        source: where it was read.
        verified: whether that was AWS's list, or somebody who checks against it.
    """

    unit: str
    per: Decimal
    tiers: tuple[Tier, ...]
    free: Decimal
    source: str
    verified: bool

    def of(self, quantity: Decimal, *, free_tier: bool = False) -> Decimal:
        """Return US dollars for a month's quantity, exact and not rounded.

        A tier's price is charged for the part of the quantity within it, so the sum
        grows without a jump (the price pages' "first", "next", "over").

        Raises:
            ValueError: the quantity is negative.
        """
        if quantity < 0:
            raise ValueError(f"There are no {quantity} {self.unit}.")
        if free_tier:
            quantity = max(NOTHING, quantity - self.free)
        dollars, below = NOTHING, NOTHING
        for tier in self.tiers:
            end = quantity if tier.up_to is None else min(quantity, tier.up_to)
            dollars += max(NOTHING, end - below) * tier.price / self.per
            below = tier.up_to or below
        return dollars


@dataclass(frozen=True)
class Machine:
    """A kind of instance, of a database or of a cache.

    Attributes:
        name: as AWS has it.
        vcpus: how many.
        mib: memory in MiB.
        baseline: the share of each vCPU that may be used all the time.
        hourly: US dollars an hour; of a database in two zones.
        verified: as of a price.
    """

    name: str
    vcpus: Decimal
    mib: Decimal
    baseline: Decimal
    hourly: Decimal
    verified: bool


@dataclass(frozen=True)
class PriceList:
    """All prices of a region.

    Attributes:
        read: the date on which they were read, ISO 8601.
        region: of AWS.
        hours: of a month.
        prices: by name.
        instances: to choose from, and so with databases and caches.
        free_tier: whether what Lambda gives away is taken off.
    """

    read: str
    region: str
    hours: Decimal
    prices: Mapping[str, Price]
    instances: tuple[Machine, ...]
    databases: tuple[Machine, ...]
    caches: tuple[Machine, ...]
    free_tier: bool = False

    def __getitem__(self, name: str) -> Price:
        """Return a price.

        Raises:
            PriceError: there is none of this name.
        """
        try:
            return self.prices[name]
        except KeyError:
            raise PriceError(f"{FILE} has no price {name!r}: enter it there.") from None

    def with_free_tier(self) -> PriceList:
        """Return the same prices for who has Lambda's free tier."""
        return replace(self, free_tier=True)


@cache
def prices(file: Path = FILE) -> PriceList:
    """Read the price file.

    Raises:
        PriceError: it is not as it should be.
    """
    return parsed(decimals(file.read_text(encoding="utf-8")))


def parsed(data: Mapping[str, Any]) -> PriceList:
    """Make a price list of what a price file holds.

    Raises:
        PriceError: something is missing, or a tier is out of order.
    """
    try:
        sources = data["sources"]
        return PriceList(
            read=str(data["read"]),
            region=data["region"],
            hours=data["hours_a_month"],
            prices={
                name: _price(name, item, sources)
                for name, item in data["prices"].items()
            },
            instances=_machines(data["instances"]),
            databases=_machines(data["databases"]),
            caches=_machines(data["caches"]),
        )
    except KeyError as error:
        raise PriceError(f"{FILE} lacks {error}: see its first lines.") from error


def decimals(text: str) -> Any:
    """Read YAML with each number as the exact decimal that is written there."""
    return yaml.load(text, Loader=_Exact)  # noqa: S506 (a SafeLoader of our own)


class _Exact(yaml.SafeLoader):
    """YAML's plain types, with decimals for numbers."""


def _decimal(loader: _Exact, node: yaml.ScalarNode) -> Decimal:
    return Decimal(loader.construct_scalar(node))


for _kind in ("int", "float"):
    _Exact.add_constructor(f"tag:yaml.org,2002:{_kind}", _decimal)


def _price(name: str, item: Mapping[str, Any], sources: Mapping[str, str]) -> Price:
    tiers = tuple(
        Tier(tier.get("up_to"), tier["price"]) for tier in item.get("tiers", [item])
    )
    ends = [tier.up_to for tier in tiers[:-1]]
    known = [end for end in ends if end is not None]
    if len(known) < len(ends) or known != sorted(known) or tiers[-1].up_to:
        raise PriceError(
            f"{name}: each tier but the last needs `up_to`, in rising order."
        )
    return Price(
        unit=item["unit"],
        per=item.get("per", Decimal(1)),
        tiers=tiers,
        free=item.get("free", NOTHING),
        source=sources[item["source"]],
        verified=item.get("verified", True),
    )


def _machines(data: Mapping[str, Mapping[str, Any]]) -> tuple[Machine, ...]:
    return tuple(
        Machine(
            name=name,
            vcpus=item["vcpus"],
            mib=item["gib"] * 1024,
            baseline=item["baseline"],
            hourly=item["price"],
            verified=item.get("verified", True),
        )
        for name, item in data.items()
    )
