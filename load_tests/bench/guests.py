"""What the guests of the benchmark send."""

from __future__ import annotations

import json
from typing import Any

import psycopg

from tests.guest import tomorrow

from .load import Request

PRODUCT_ID = "roses-red-dozen"
PLENTY = 10_000_000
# One whole conversation; its end clears the state for the next.
PHRASES = (
    "Hello there",
    "I'd like to send flowers to my mother",
    "the second one, please",
    "what can I get for under 40 dollars?",
    "what's the weather on Mars?",
    "never mind, cancel that",
)

PRODUCTS = [Request(path="/v1/products", starts_with='{"products":[{"productId":')]


def chat() -> list[Request]:
    """Return a conversation."""
    return [
        Request(
            method="POST",
            path="/v1/nlu",
            body=_json({"messages": [_said(phrase)]}),
            starts_with='{"messages":[{',
        )
        for phrase in PHRASES
    ]


def checkout() -> list[Request]:
    """Return a purchase that succeeds, each time under a new key."""
    purchase = {
        "productId": PRODUCT_ID,
        "deliveryAddress": "5 Main Street, Springfield",
        "deliveryDate": tomorrow(),
    }
    return [
        Request(
            method="POST",
            path="/v1/checkout",
            body=_json(purchase),
            starts_with='{"success":true',
            new_key=True,
        )
    ]


def journey() -> list[Request]:
    """Return one whole visit: look around, talk, buy, see the order.

    Its next round begins the conversation afresh, after the concierge has told what
    became of the order.
    """
    flowers, which = (
        Request(
            method="POST",
            path="/v1/nlu",
            body=_json({"messages": [_said(phrase)]}),
            starts_with='{"messages":[{',
        )
        for phrase in ("I'd like to send flowers to my mother", "red roses, please")
    )
    order = Request(path="/v1/orders/{orderId}", starts_with='{"orderId":"ord_')
    return [*PRODUCTS, flowers, which, *checkout(), order]


def fill_the_shelf(database_url: str) -> None:
    """Make sure that nothing is sold out, in the stage's database.

    Raises:
        LookupError: the product is not in the catalogue.
    """
    filled = "UPDATE products SET stock = %s WHERE product_id = %s"
    with psycopg.connect(database_url) as connection:
        if connection.execute(filled, (PLENTY, PRODUCT_ID)).rowcount != 1:
            raise LookupError(f"no product {PRODUCT_ID}: choose another PRODUCT_ID")


def _said(text: str) -> dict[str, Any]:
    return {"type": "unstructured", "unstructured": {"text": text}}


def _json(body: dict[str, Any]) -> str:
    return json.dumps(body)
