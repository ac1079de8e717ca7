"""The operations of the contract, what each needs, and until when it answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from sandbox.runner import RunningStage
from tests.guest import PASSWORD, Guest, tomorrow

PARTNER_KEY = "partner-of-the-experiment"
PRODUCT = "candy-jar"


@dataclass(frozen=True)
class Request:
    """What one try of an operation sends."""

    method: str
    path: str
    headers: dict[str, str]
    json: dict[str, Any] | None = None


class Visitor:
    """Somebody who has signed in and bought something before anything breaks.

    Args:
        stage: the running stage.
        spare: how many more sessions to open, to be ended by `logout`.
    """

    def __init__(self, stage: RunningStage, spare: int) -> None:
        self.site = stage.site_url
        guest = Guest(stage)
        bought = guest.buy(PRODUCT)
        bought.raise_for_status()
        self.order_id = bought.json()["order"]["orderId"]
        self.email = guest.email
        self.headers = {"Authorization": f"Bearer {guest.token}"}
        self._sessions = [self._session(guest) for _ in range(spare)]

    def credentials(self, email: str) -> dict[str, str]:
        """Return what to sign up or to log in with."""
        return {"email": email, "password": PASSWORD}

    def session(self) -> dict[str, str]:
        """Return the headers of a session that nobody else uses, once."""
        return self._sessions.pop()

    def _session(self, guest: Guest) -> dict[str, str]:
        session = guest.post("/login", json=self.credentials(guest.email))
        session.raise_for_status()
        return {"Authorization": f"Bearer {session.json()['token']}"}


def _sign_up(visitor: Visitor) -> Request:
    email = f"guest-{uuid.uuid4().hex}@example.com"
    return Request("POST", "/v1/signup", {}, visitor.credentials(email))


def _log_in(visitor: Visitor) -> Request:
    return Request("POST", "/v1/login", {}, visitor.credentials(visitor.email))


def _log_out(visitor: Visitor) -> Request:
    return Request("POST", "/v1/logout", visitor.session())


def _chat(visitor: Visitor) -> Request:
    # What asks for most: it is about the products and the guest's own orders.
    said = {"type": "unstructured", "unstructured": {"text": "where is my order?"}}
    return Request("POST", "/v1/nlu", visitor.headers, {"messages": [said]})


def _buy(visitor: Visitor) -> Request:
    body = {
        "productId": PRODUCT,
        "deliveryAddress": "5 Main Street, Springfield",
        "deliveryDate": tomorrow(),
    }
    once = {"Idempotency-Key": str(uuid.uuid4())}
    return Request("POST", "/v1/checkout", visitor.headers | once, body)


def _get(path: str) -> Callable[[Visitor], Request]:
    return lambda visitor: Request(
        "GET", path.format(order_id=visitor.order_id), visitor.headers
    )


def _partner(visitor: Visitor) -> Request:
    return Request("GET", "/v1/partner/products", {"X-Api-Key": PARTNER_KEY})


@dataclass(frozen=True)
class Operation:
    """One operation of the contract.

    Attributes:
        name: as in the table.
        needs: the services without which it cannot be done. A guest's token is
            verified by each service itself, so hardly anything needs `identity`.
        request: what to send.
        well: the status when all is well.
        deadline: until when there is an answer, with `RESILIENCE=on` (seconds).
    """

    name: str
    needs: tuple[str, ...]
    request: Callable[[Visitor], Request]
    well: int = 200
    deadline: float = 10.0


OPERATIONS = (
    Operation("signup", ("identity",), _sign_up, 201),
    Operation("login", ("identity",), _log_in),
    Operation("logout", ("identity",), _log_out, 204),
    Operation("nlu", ("nlu",), _chat),
    Operation("products", ("catalog",), _get("/v1/products")),
    Operation("product", ("catalog",), _get(f"/v1/products/{PRODUCT}")),
    # The gateway waits 2 s longer than checkout takes, for a checkout that is hung.
    Operation("checkout", ("checkout", "catalog"), _buy, deadline=12.0),
    Operation("orders", ("checkout",), _get("/v1/orders")),
    Operation("order", ("checkout",), _get("/v1/orders/{order_id}")),
    Operation("partner", ("catalog",), _partner),
    Operation("health", (), _get("/v1/health")),
    Operation("page", (), _get("/"), deadline=1.0),
)


@dataclass(frozen=True)
class Answer:
    """What one try brought: no status when there was none until we gave up."""

    status: int | None
    seconds: float


def ask(operation: Operation, visitor: Visitor, cap: float) -> Answer:
    """Try an operation once, on a connection of its own.

    Args:
        operation: which one.
        visitor: in whose name.
        cap: when to give up (seconds).
    """
    request = operation.request(visitor)
    try:
        answer = requests.request(
            request.method,
            visitor.site + request.path,
            headers=request.headers,
            json=request.json,
            timeout=cap,
        )
    except requests.RequestException:
        return Answer(None, cap)
    return Answer(answer.status_code, answer.elapsed.total_seconds())
