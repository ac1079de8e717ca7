"""What a bill is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from .prices import PriceList

CENT = Decimal("0.01")
# AWS counts in binary units: in its tiers 10 TB are 10,240 GB.
GB = Decimal(2) ** 30


@dataclass(frozen=True)
class Line:
    """A line of a bill.

    Attributes:
        name: what is paid for; stages have names in common.
        detail: how much of it.
        exact: US dollars, not rounded.
        verified: whether every price in it was verified.
    """

    name: str
    detail: str
    exact: Decimal
    verified: bool

    @property
    def dollars(self) -> Decimal:
        """US dollars, rounded to the cent as an invoice has them."""
        return rounded(self.exact)


@dataclass(frozen=True)
class Bill:
    """A month's bill of one stage.

    Attributes:
        stage: 1 to 4.
        lines: what is paid for.
        basis: where the quantities are from.
    """

    stage: int
    lines: tuple[Line, ...]
    basis: tuple[str, ...]

    @property
    def total(self) -> Decimal:
        """US dollars of all lines, as they are printed."""
        return sum((line.dollars for line in self.lines), Decimal(0))

    @property
    def exact(self) -> Decimal:
        """US dollars of all lines, none of them rounded."""
        return sum((line.exact for line in self.lines), Decimal(0))

    def dollars(self, name: str) -> Decimal | None:
        """Return what is paid under a name, or None when nothing of it is used."""
        found = [line.dollars for line in self.lines if line.name == name]
        return sum(found, Decimal(0)) if found else None


@dataclass(frozen=True)
class Part:
    """A quantity of something that has a price.

    Attributes:
        price: its name in the price file.
        quantity: of a month, in the price's unit.
    """

    price: str
    quantity: Decimal


def line(name: str, parts: Iterable[Part], prices: PriceList) -> Line:
    """Return a line that charges quantities, rounded once, as their sum."""
    parts = list(parts)
    charged = [(prices[part.price], part.quantity) for part in parts]
    exact = sum(
        (price.of(count, free_tier=prices.free_tier) for price, count in charged),
        Decimal(0),
    )
    return Line(
        name=name,
        detail=" + ".join(f"{told(count)} {price.unit}" for price, count in charged),
        exact=exact,
        verified=all(price.verified for price, _ in charged),
    )


def rounded(dollars: Decimal) -> Decimal:
    """Return US dollars to the cent; half a cent counts as one."""
    return dollars.quantize(CENT, ROUND_HALF_UP)


def told(count: Decimal) -> str:
    """Write a quantity: three digits of what is small, whole numbers else."""
    return f"{count:,.0f}" if count >= 100 or not count else f"{count:.3g}"
