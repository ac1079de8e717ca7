"""How the concierge is used: from people a month to requests a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

SECONDS_AN_HOUR = Decimal(3600)


@dataclass(frozen=True)
class Usage:
    """A month's guests and what each of them does.

    Attributes:
        users: people who come at least once in the month.
        visits: of each of them in the month.
        products: lists of products seen in a visit.
        chats: messages to the concierge in a visit.
        checkouts: purchases in a visit.
        orders: looks at an order in a visit.
        sign_ins: in a visit; stages 3 and 4 leave them to Cognito.
        peak: the busiest moments' rate over the month's mean; 1 is flat traffic.
    """

    users: Decimal
    visits: Decimal = Decimal(8)
    products: Decimal = Decimal(3)
    chats: Decimal = Decimal(8)
    checkouts: Decimal = Decimal("0.25")
    orders: Decimal = Decimal("0.5")
    sign_ins: Decimal = Decimal(1)
    peak: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ValueError: a figure is negative, or the peak lies below the mean.
        """
        if min(self.users, self.visits, *self.a_visit.values()) < 0:
            raise ValueError(
                "Users, visits and what is done in a visit are at least 0."
            )
        if self.peak < 1:
            raise ValueError("The peak is at least 1: no mean lies above its peak.")

    @property
    def a_visit(self) -> Mapping[str, Decimal]:
        """How often each operation is asked for in a visit."""
        return {
            "products": self.products,
            "chat": self.chats,
            "checkout": self.checkouts,
            "order": self.orders,
            "sign_in": self.sign_ins,
        }

    @property
    def all_visits(self) -> Decimal:
        """Visits of a month."""
        return self.users * self.visits

    def a_month(self) -> dict[str, Decimal]:
        """Return the requests of a month by operation."""
        return {name: self.all_visits * count for name, count in self.a_visit.items()}

    def a_second(self, hours: Decimal) -> dict[str, Decimal]:
        """Return the mean requests a second by operation.

        Args:
            hours: of the month.
        """
        seconds = hours * SECONDS_AN_HOUR
        return {name: count / seconds for name, count in self.a_month().items()}


def of_requests(requests: Decimal, like: Usage) -> Usage:
    """Return the usage that makes so many requests a month, of guests alike.

    Args:
        requests: of guests in a month.
        like: whose visits they are.

    Raises:
        ValueError: a guest like this makes no request at all.
    """
    each = like.visits * sum(like.a_visit.values())
    if not each:
        raise ValueError("Guests who do nothing make no requests: raise their visits.")
    return replace(like, users=requests / each)
