"""What a guest bought, as the checkout service tells it to nlu."""

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias, overload

import msgspec

from .calls import Callee
from .errors import Problem

log = logging.getLogger(__name__)

Order: TypeAlias = Mapping[str, Any]

RECENT = "/internal/guests/{}/orders?limit=10"


class OrdersUnseen(Exception):
    """Checkout is away, so nobody knows what the guest ordered."""


class Purchases(Sequence[Order]):
    """The recent orders of a guest, newest first.

    They are asked for when the dialogue first looks at them, since most of what is said
    is not about them, and a call costs more than a look into a table.

    Args:
        checkout: the checkout service.
        guest_id: whose orders, as the guest's own signature has it.

    Raises:
        OrdersUnseen: at any look while checkout is away.
    """

    def __init__(self, checkout: Callee, guest_id: str) -> None:
        self._checkout = checkout
        self._path = RECENT.format(guest_id)

    @overload
    def __getitem__(self, at: int) -> Order: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Order]: ...

    def __getitem__(self, at: int | slice) -> Order | Sequence[Order]:
        """Return the orders that are asked for."""
        return self._orders[at]

    def __len__(self) -> int:
        """Tell how many there are."""
        return len(self._orders)

    @cached_property
    def _orders(self) -> list[dict[str, Any]]:
        try:
            return self._checkout.call("GET", self._path).read(_Page).orders
        except (Problem, msgspec.DecodeError) as error:
            log.warning("orders not read", extra={"reason": str(error)})
            raise OrdersUnseen from error


class _Page(msgspec.Struct):
    orders: list[dict[str, Any]]
