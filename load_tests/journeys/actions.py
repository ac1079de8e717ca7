"""What guests do, one function an action, and how often they do it."""

from __future__ import annotations

import random
import time
import uuid
from typing import Any

import gevent  # type: ignore[import-untyped]

from load_tests.answers import (
    PENDING,
    Bought,
    Order,
    OrderPage,
    Product,
    ProductPage,
    Replies,
    WrongAnswer,
    confirmed,
    read,
    read_purchase,
)
from load_tests.shelves import PRODUCTS
from tests.guest import tomorrow

from .guest import Guest

CATEGORIES = ("flowers", "gifts", "sweets", "food")
QUESTIONS = (
    "I'd like to send flowers to my mother",
    "what food do you have?",
    "what sweets do you have?",
    "show me gifts",
)
# So long may an order that was accepted take.
FINAL_SECONDS = 60.0
FIRST_LOOK_SECONDS, SLOWEST_LOOK_SECONDS = 0.1, 1.0
ORDER_NAME = "/orders/{orderId}"


def catalog(guest: Guest) -> None:
    """Look at a category, and then at one product of it."""
    category = random.choice(CATEGORIES)
    page = guest.get(
        f"/products?category={category}", ProductPage, "/products?category={category}"
    )
    guest.think()
    product = random.choice(page.products)
    guest.get(f"/products/{product.product_id}", Product, "/products/{productId}")


def nlu(guest: Guest) -> None:
    """Chat, two turns: ask for something, and press the button of a card."""
    asked = {"type": "unstructured", "unstructured": {"text": random.choice(QUESTIONS)}}
    card = guest.send("POST", "/nlu", _card, "/nlu (a question)", _said(asked))
    guest.think()
    pressed = {
        "type": "structured",
        "structured": {"text": "Order", "type": "product", "payload": card},
    }
    guest.send("POST", "/nlu", _replies, "/nlu (a button)", _said(pressed))


def checkout(guest: Guest) -> None:
    """Buy something, and follow the order until it is final."""
    purchase = {
        "productId": random.choice(PRODUCTS),
        "deliveryAddress": "5 Main Street, Springfield",
        "deliveryDate": tomorrow(),
    }
    bought = guest.send(
        *("POST", "/checkout", _bought, "/checkout", purchase),
        Idempotency_Key=str(uuid.uuid4()),
    )
    order, pause = bought.order, FIRST_LOOK_SECONDS
    until = time.monotonic() + FINAL_SECONDS

    def judge(answer: Any, body: bytes) -> Order:
        found = read(answer.status_code, body, Order)
        if found.order_id != order.order_id:
            raise WrongAnswer("another order than the one asked for")
        if found.status == PENDING and time.monotonic() > until:
            raise WrongAnswer(f"still pending after {FINAL_SECONDS:.0f} s")
        if found.sold_out:
            _sold_out(answer)
        elif found.status != PENDING:
            confirmed(found)
        return found

    # At least once, for what was told at the checkout must be kept.
    while True:
        path = f"/orders/{order.order_id}"
        if guest.send("GET", path, judge, ORDER_NAME).status != PENDING:
            return
        gevent.sleep(pause)
        pause = min(2 * pause, SLOWEST_LOOK_SECONDS)


def orders(guest: Guest) -> None:
    """Look at one's own orders."""
    guest.get("/orders", OrderPage)


WEIGHTS = {catalog: 4, nlu: 3, checkout: 2, orders: 1}


def _said(message: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [message]}


def _replies(answer: Any, body: bytes) -> Replies:
    replies = read(answer.status_code, body, Replies)
    if not replies.messages:
        raise WrongAnswer("the concierge said nothing")
    return replies


def _card(answer: Any, body: bytes) -> dict[str, Any]:
    cards = _replies(answer, body).to_order()
    if not cards:
        raise WrongAnswer("no card to order by")
    return random.choice(cards)


def _bought(answer: Any, body: bytes) -> Bought:
    bought = read_purchase(answer.status_code, answer.headers or {}, body)
    if bought.order.sold_out:
        _sold_out(answer)
    return bought


def _sold_out(answer: Any) -> None:
    """Count it in a row of its own: it is right, and quicker than a purchase."""
    answer.request_meta["name"] += " (sold out)"
