"""The control API under `/_sandbox/`: faults, rate limit, the ledger, health.

It is not part of Stripe. README.md of this package documents it.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qs

import msgspec

from . import objects
from .errors import Answer, json_answer
from .faults import Faults, Settings
from .intents import Charge, Intent
from .ledger import Ledger
from .rate_limit import RateLimit
from .refunds import Refund

PREFIX = "/_sandbox/"
FAULTS_EXAMPLE = (
    'PUT an object such as {"error_before": 500, "share": 0.1, '
    '"operations": ["confirm"]}; sandbox/stripe/README.md lists every member'
)
RATE_EXAMPLE = 'PUT {"per_second": 25}, or {"per_second": null} for no limit'
PATHS = "faults, rate-limit, ledger, health"


class RateSettings(msgspec.Struct, forbid_unknown_fields=True):
    """The rate limit to set; None switches it off."""

    per_second: Annotated[float, msgspec.Meta(gt=0)] | None


class Control:
    """Answers the control API."""

    def __init__(self, ledger: Ledger, faults: Faults, rate: RateLimit) -> None:
        self._ledger = ledger
        self._faults = faults
        self._rate = rate

    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer:
        """Answer one request.

        Arguments:
            path: with its prefix, without its query.
        """
        match method, path.removeprefix(PREFIX):
            case "GET", "faults":
                return json_answer(200, self._faults.report())
            case "PUT", "faults":
                return self._set_faults(body)
            case "DELETE", "faults":
                self._faults.set(Settings())
                return json_answer(200, self._faults.report())
            case "GET", "rate-limit":
                return json_answer(200, {"per_second": self._rate.per_second})
            case "PUT", "rate-limit":
                return self._set_rate(body)
            case "GET", "ledger":
                return self._show_ledger(query)
            case "GET", "health":
                return json_answer(200, {"status": "ok"})
            case _, ("faults" | "rate-limit" | "ledger" | "health") as known:
                return _refuse(405, f"{method} is not possible on {PREFIX}{known}.")
        return _refuse(404, f"{path} is not there: {PREFIX} has {PATHS}.")

    def _set_faults(self, body: bytes) -> Answer:
        try:
            settings = msgspec.json.decode(body, type=Settings)
        except msgspec.DecodeError as problem:
            return _refuse(400, f"{problem}. {FAULTS_EXAMPLE}.")
        self._faults.set(settings)
        return json_answer(200, self._faults.report())

    def _set_rate(self, body: bytes) -> Answer:
        try:
            wanted = msgspec.json.decode(body, type=RateSettings)
        except msgspec.DecodeError as problem:
            return _refuse(400, f"{problem}. {RATE_EXAMPLE}.")
        self._rate.set(wanted.per_second)
        return json_answer(200, {"per_second": wanted.per_second})

    def _show_ledger(self, query: str) -> Answer:
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        unknown = set(asked) - {"order_id", "view"}
        if unknown or asked.get("view", "full") not in ("full", "orders"):
            return _refuse(400, "Ask with order_id=ID and view=orders or view=full.")
        order_id = asked.get("order_id")
        with self._ledger.transaction() as book:
            intents = book.all(Intent, order_id)
            charges = book.all(Charge, order_id)
            refunds = book.all(Refund, order_id)
        shown: dict[str, Any] = {"orders": _by_order(intents, charges, refunds)}
        if asked.get("view") != "orders":
            shown["payment_intents"] = [objects.payment_intent(r) for _, r in intents]
            shown["charges"] = [objects.charge(r) for _, r in charges]
            shown["refunds"] = [objects.refund(r) for _, r in refunds]
        return json_answer(200, shown)


def _by_order(
    intents: list[tuple[str, Intent]],
    charges: list[tuple[str, Charge]],
    refunds: list[tuple[str, Refund]],
) -> Mapping[str, Mapping[str, Any]]:
    """Sum up each order; "" stands for records that name no order."""
    orders: dict[str, dict[str, Any]] = {}
    for order_id, intent in intents:
        order = orders.setdefault(
            order_id,
            {
                "payment_intents": {},
                "succeeded_charges": 0,
                "failed_charges": 0,
                "amount_captured": 0,
                "refunds": 0,
                "amount_refunded": 0,
            },
        )
        order["payment_intents"][intent.id] = intent.status
    for order_id, charge in charges:
        order = orders[order_id]
        order["succeeded_charges"] += charge.succeeded
        order["failed_charges"] += not charge.succeeded
        order["amount_captured"] += charge.amount if charge.succeeded else 0
    for order_id, refund in refunds:
        orders[order_id]["refunds"] += 1
        orders[order_id]["amount_refunded"] += refund.amount
    return orders


def _refuse(status: int, message: str) -> Answer:
    return json_answer(status, {"code": status, "message": message})
