"""What the concierge answers, and how that looks on the wire.

The dialogue makes plain values; `render` turns them into messages. Text is text: the
page shows it as such, and nothing in it is markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime, timezone
from typing import Any, TypeAlias
from uuid import uuid4

from .products import Product

Message: TypeAlias = dict[str, Any]

LONGEST_TEXT = 2000


@dataclass(frozen=True)
class Text:
    """Something said."""

    text: str


@dataclass(frozen=True)
class Card:
    """One product, with its picture and a button."""

    text: str
    product_id: str


@dataclass(frozen=True)
class Choices:
    """Something said, with answers to press: a label and the text it stands for."""

    text: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Checkout:
    """An order complete but for the payment, for the checkout form to take over."""

    text: str
    product_id: str
    quantity: int
    address: str
    date: str


Reply: TypeAlias = Text | Card | Choices | Checkout

_KINDS: dict[str, type[Reply]] = {
    kind.__name__.lower(): kind for kind in (Text, Card, Choices, Checkout)
}


def choices(text: str, *values: str) -> Choices:
    """Return choices whose labels are the answers themselves."""
    return Choices(text, tuple((value, value) for value in values))


def pack(reply: Reply) -> list[Any]:
    """Return a reply as a list that JSON can hold."""
    return [type(reply).__name__.lower(), *astuple(reply)]


def unpack(packed: Any) -> Reply:
    """Return the reply of a packed list; ValueError when it is none."""
    kind, *values = packed
    if kind == "choices":
        text, options = values
        return Choices(str(text), tuple((str(a), str(b)) for a, b in options))
    reply = _KINDS[kind](*values)
    if not all(isinstance(value, str | int) for value in values):
        raise ValueError("a reply holds only text and figures")
    return reply


def render(reply: Reply, products: Mapping[str, Product], now: datetime) -> Message:
    """Return the message of the wire format; times are ISO 8601 in UTC."""
    timestamp = now.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    product = products.get(getattr(reply, "product_id", ""))
    body: Message = {
        "id": str(uuid4()),
        "text": reply.text[:LONGEST_TEXT],
        "timestamp": timestamp,
    }
    if isinstance(reply, Choices):
        kind = "quick-replies"
        answers = [{"label": label, "value": value} for label, value in reply.options]
        payload: Message = {"replies": answers}
    elif isinstance(reply, Card) and product:
        kind, payload = "product", _card(product)
    elif isinstance(reply, Checkout) and product:
        kind, payload = "checkout", _checkout(reply, product)
    else:
        return {"type": "unstructured", "unstructured": body}
    return {
        "type": "structured",
        "structured": {**body, "type": kind, "payload": payload},
    }


def _card(product: Product) -> Message:
    return {
        "productId": product.product_id,
        "name": product.name,
        "price": product.unit_amount / 100,
        "imageUrl": product.image_url,
        "buttonLabel": "Order" if product.stock else "Sold out",
        "clickAction": "checkout",
    }


def _checkout(reply: Checkout, product: Product) -> Message:
    return {
        "productId": product.product_id,
        "name": product.name,
        "quantity": reply.quantity,
        "deliveryAddress": reply.address,
        "deliveryDate": reply.date,
        "unitAmount": product.unit_amount,
        "currency": product.currency,
        "buttonLabel": "Checkout",
        "clickAction": "checkout",
    }
