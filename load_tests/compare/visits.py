"""One visit, the same at every stage: look, talk, buy, and see the order confirmed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import gevent  # type: ignore[import-untyped]
import msgspec
from geventhttpclient.client import HTTPClient

from load_tests.accounts import Account
from load_tests.answers import (
    PENDING,
    Order,
    ProductPage,
    Replies,
    WrongAnswer,
    confirmed,
    read,
    read_purchase,
)

LIST, QUESTION, CHOICE = "GET /products", "POST /nlu, a question", "POST /nlu, a choice"
CHECKOUT, ORDER = "POST /checkout", "GET /orders/{orderId}"
KINDS = (LIST, QUESTION, CHOICE, CHECKOUT, ORDER)
# Not a request: from sending the checkout until the order was seen to be confirmed.
BOUGHT = "checkout until confirmed"
WORDS = ("I'd like to send flowers to my mother", "red roses, please")
FINAL_SECONDS = 60.0
# As pages do: soon at first, then less and less often.
FIRST_LOOK_SECONDS, SLOWEST_LOOK_SECONDS = 0.1, 1.0

# What is told of each answer: its kind, and how long it took in seconds.
Note = Callable[[str, float], None]


class Visitor:
    """A guest on one connection.

    Args:
        client: the connection.
        api_url: of the stage, ending in /v1.
        account: what proves who it is.
        product: what this guest buys.
        day: on which they want it, ISO 8601.
        note: hears of each answer.
    """

    def __init__(
        self,
        client: HTTPClient,
        api_url: str,
        account: Account,
        product: str,
        day: str,
        note: Note,
    ) -> None:
        self._client, self._account, self._note = client, account, note
        self._api_url = api_url
        # After the port: the stage's own begin, and then the path.
        self._begin = "/" + api_url.split("/", 3)[3]
        self._purchase = {
            "productId": product,
            "deliveryAddress": "5 Main Street, Springfield",
            "deliveryDate": day,
        }

    def visit(self) -> None:
        """Make one visit.

        Raises:
            WrongAnswer: something was not as the contract says.
        """
        self._judged(LIST, "GET", "/products", ProductPage)
        for kind, words in zip((QUESTION, CHOICE), WORDS, strict=True):
            said = {"type": "unstructured", "unstructured": {"text": words}}
            body = {"messages": [said]}
            if not self._judged(kind, "POST", "/nlu", Replies, body).messages:
                raise WrongAnswer("the concierge said nothing")
        began = time.perf_counter()
        self._buy()
        self._note(BOUGHT, time.perf_counter() - began)

    def _buy(self) -> None:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        status, headers, body = self._ask(
            CHECKOUT, "POST", "/checkout", self._purchase, key
        )
        order, pause = read_purchase(status, headers, body).order, FIRST_LOOK_SECONDS
        until = time.monotonic() + FINAL_SECONDS
        path = f"/orders/{order.order_id}"
        # Once at least, for a guest who was told so looks, too.
        while (found := self._judged(ORDER, "GET", path, Order)).status == PENDING:
            if time.monotonic() > until:
                raise WrongAnswer(f"still pending after {FINAL_SECONDS:.0f} s")
            gevent.sleep(pause)
            pause = min(2 * pause, SLOWEST_LOOK_SECONDS)
        confirmed(found)

    def _judged(
        self, kind: str, method: str, path: str, structure: Any, body: Any = None
    ) -> Any:
        status, _, came = self._ask(kind, method, path, body)
        return read(status, came, structure)

    def _ask(
        self,
        kind: str,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        data = b"" if body is None else msgspec.json.encode(body)
        own = dict(headers or {})
        if data:
            own["Content-Type"] = "application/json"
        signed = self._account.headers(method, self._api_url + path, data, own)
        began = time.perf_counter()
        try:
            answer = self._client.request(method, self._begin + path, data, signed)
            status, came = answer.status_code, bytes(answer.read())
        except Exception as error:  # whatever it is, it counts
            raise WrongAnswer(f"no answer: {type(error).__name__}") from error
        self._note(kind, time.perf_counter() - began)
        return status, {"Location": str(answer.get("Location", ""))}, came
