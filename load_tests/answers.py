"""What the contract says of an answer, as far as a load can afford to check it.

`docs/reference/openapi.yaml` is the description; a test holds its examples against the
structures here. They are decoded in C, for the generator must stay cheaper than what
it measures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

Answer = TypeVar("Answer")

PENDING, CONFIRMED, FAILED = "pending", "confirmed", "failed"
# The words of checkout's `orders.py`; the contract has no code for it.
SOLD_OUT = "Sorry, there is not enough of this left. Nothing was charged."
LOCATION = re.compile(r"/v1(/orders/ord_[0-9a-f]{24})")
ORDER_ID = re.compile(r"ord_[0-9a-f]{24}")
LONGEST_WORDS = 120
NO_ANSWER = "no answer"


class WrongAnswer(Exception):
    """An answer is not what the contract promises; no order is named in the words.

    Args:
        words: what it is instead.
        order_id: of the order that a refusal says is kept; "" when it names none.
    """

    def __init__(self, words: str, order_id: str = "") -> None:
        super().__init__(words)
        self.order_id = order_id


class _Body(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    pass


class Product(_Body):
    """A product: its price in cents, and how many can be bought now."""

    product_id: str
    name: str
    category: str
    description: str
    unit_amount: int
    currency: str
    stock: int
    image_url: str


class ProductPage(_Body):
    """A page of products."""

    products: list[Product]
    next_cursor: str | None = None


class Order(_Body):
    """An order: its amount in cents, its times in ISO 8601."""

    order_id: str
    status: str
    product_id: str
    name: str
    quantity: int
    amount: int
    currency: str
    delivery_address: str
    delivery_date: str
    created_at: str
    updated_at: str
    message: str

    @property
    def sold_out(self) -> bool:
        """Whether it was given up because there was not enough left."""
        return self.status == FAILED and self.message == SOLD_OUT


class OrderPage(_Body):
    """A page of orders, the newest first."""

    orders: list[Order]
    next_cursor: str | None = None


class Bought(_Body):
    """The answer to a checkout."""

    success: bool
    message: str
    order: Order


class Message(_Body):
    """A message of the concierge: text, or something with buttons."""

    type: str
    unstructured: dict[str, Any] = {}
    structured: dict[str, Any] = {}


class Replies(_Body):
    """What the concierge says."""

    messages: list[Message]

    def to_order(self) -> list[dict[str, Any]]:
        """Return the payloads of the cards of which there is something left."""
        cards = (message.structured for message in self.messages)
        return [
            card["payload"]
            for card in cards
            if card.get("type") == "product"
            and card["payload"].get("buttonLabel") == "Order"
        ]


def read(status: int, body: bytes, kind: type[Answer]) -> Answer:
    """Return the body of a right answer, which is always a 200.

    Args:
        status: of HTTP; 0 when nothing was answered, and then the body says why.
        body: what came.
        kind: one of the structures here.

    Raises:
        WrongAnswer: it is another status or another body.
    """
    if status != 200:
        raise _refusal(status, body)
    return _decoded(body, kind)


def read_purchase(status: int, headers: Mapping[str, str], body: bytes) -> Bought:
    """Return a purchase that is confirmed, under way, or was found sold out.

    Args:
        status: of HTTP; 0 when nothing was answered.
        headers: of the answer; accepted means that they say where to look.
        body: what came.

    Raises:
        WrongAnswer: it was refused, declined or given up, or is no such answer.
    """
    if status not in (200, 202):
        raise _refusal(status, body)
    bought = _decoded(body, Bought)
    if status == 202:
        place = LOCATION.fullmatch(headers.get("Location") or "")
        if not place or not place[1].endswith(bought.order.order_id):
            raise WrongAnswer("202 without the order's Location")
        if not bought.success or bought.order.status not in (PENDING, CONFIRMED):
            raise WrongAnswer(f"202 with an order that is {bought.order.status}")
        return bought
    if not bought.order.sold_out:
        confirmed(bought.order)
        if not bought.success:
            raise WrongAnswer("200 with a confirmed order, but no success")
    return bought


def confirmed(order: Order) -> None:
    """Check that an order was confirmed.

    Raises:
        WrongAnswer: it was not.
    """
    if order.status != CONFIRMED:
        raise WrongAnswer(f"the order is {order.status}: {order.message}")


def _decoded(body: bytes, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise WrongAnswer(f"not a {kind.__name__}: {error}") from None


def _refusal(status: int, body: bytes) -> WrongAnswer:
    words = body.decode(errors="replace")
    with suppress(msgspec.DecodeError, KeyError, TypeError):
        words = str(msgspec.json.decode(body)["message"])
    named = ORDER_ID.search(words)
    words = ORDER_ID.sub("ord_...", words)[:LONGEST_WORDS]
    return WrongAnswer(
        f"{status} {words}" if status else f"{NO_ANSWER}: {words}",
        named[0] if named else "",
    )
