"""Buyers, and the log of what each of them was told."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

from sandbox.runner import RunningStage
from tests.guest import Guest

FINAL = ("confirmed", "declined", "failed")
ORDER_ID = re.compile(r"ord_[0-9a-f]{24}")
PAUSE_SECONDS = 0.3


@dataclass(frozen=True, eq=False)
class Purchase:
    """What a client wants to buy, under one Idempotency-Key.

    The address ends with the key, so that whatever order came of the purchase is found
    among the guest's orders even when no answer named it.
    """

    product_id: str
    quantity: int = 1
    card: str = "pm_card_visa"
    more: dict[str, Any] = field(default_factory=dict)
    key: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def address(self) -> str:
        return f"{self.quantity} Drill Street {self.key}"


@dataclass(frozen=True)
class Told:
    """What a client was told of a purchase; status 0 when nobody answered."""

    purchase: Purchase
    status: int
    body: dict[str, Any]

    @property
    def order(self) -> dict[str, Any]:
        """The order in the answer, or nothing."""
        order: dict[str, Any] = self.body.get("order") or {}
        return order

    @property
    def order_id(self) -> str | None:
        """The order that the answer names, in its body or in an error's words."""
        named = ORDER_ID.search(self.body.get("message", ""))
        return self.order.get("orderId") or (named[0] if named else None)

    @property
    def end(self) -> str | None:
        """The end of the order, when the answer told it."""
        status = self.order.get("status")
        return status if status in FINAL else None


class Buyer:
    """A guest who buys and keeps a log.

    Many threads may send at once: nothing is kept between calls but what they append,
    and a pool of connections. All else is for one thread at a time.
    """

    def __init__(self, stage: RunningStage) -> None:
        self._guest = Guest(stage)
        self.email = self._guest.email
        self.sent: list[Purchase] = []
        self.log: list[Told] = []
        self.ordered: set[Purchase] = set()

    def send(self, purchase: Purchase) -> Told:
        """Send a checkout once, and never mind what comes of it."""
        self.sent.append(purchase)
        fields = {
            "quantity": purchase.quantity,
            "paymentMethod": purchase.card,
            "deliveryAddress": purchase.address,
            **purchase.more,
        }
        try:
            answer = self._guest.buy(purchase.product_id, purchase.key, **fields)
            told = Told(purchase, answer.status_code, answer.json())
        except (requests.RequestException, ValueError):
            told = Told(purchase, 0, {})
        self.log.append(told)
        if told.order_id:
            self.ordered.add(purchase)
        return told

    def insist(self, purchase: Purchase, seconds: float) -> Told:
        """Send a checkout again under its key until the order's end is told.

        Args:
            purchase: what to buy.
            seconds: after how long to stop asking.
        """
        deadline = time.monotonic() + seconds
        while True:
            told = self.send(purchase)
            refused = 400 <= told.status < 500
            if told.end or refused or time.monotonic() > deadline:
                return told
            time.sleep(PAUSE_SECONDS)

    def orders(self) -> list[dict[str, Any]]:
        """Read all of the guest's orders, with the guest's own credentials."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self._read("/orders", {"limit": "100"} | cursor)
            found += page["orders"]
            if "nextCursor" not in page:
                return found
            cursor = {"cursor": page["nextCursor"]}

    def products(self) -> dict[str, dict[str, Any]]:
        """Read the catalogue, by product id."""
        page = self._read("/products", {"limit": "100"})
        return {product["productId"]: product for product in page["products"]}

    def order_of(self, purchase: Purchase) -> dict[str, Any] | None:
        """Find the order that came of a purchase."""
        mine = (o for o in self.orders() if o["deliveryAddress"] == purchase.address)
        return next(mine, None)

    def _read(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        """Read, and read again when the worker that was to answer got killed."""
        for pause in (0.1, 0.5, 1.0, 2.0, 4.0, None):
            try:
                answer = self._guest.get(path, params=params)
                answer.raise_for_status()
                body: dict[str, Any] = answer.json()
                return body
            except requests.RequestException:
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")


def buyers(stage: RunningStage, count: int) -> list[Buyer]:
    """Sign up so many guests, four at a time."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(Buyer, [stage] * count))


def shared_out(purchases: Iterable[Purchase], count: int) -> list[Sequence[Purchase]]:
    """Deal purchases out to so many buyers, like cards."""
    all_of_them = list(purchases)
    return [all_of_them[start::count] for start in range(count)]
