"""The story of an order across the services: what each has noted, and each log line."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import stacks
from .cloud import client
from .logs import LogLine, lines
from .settings import Deployment, SettingsError
from .up import TABLES

# In which tables there is something under an order's id, and the name of that key.
KEYS = {
    "checkout": "order_id",
    "payments": "order_id",
    "receipts": "order_id",
    "notifications": "notice",
}
ORDER_ID = re.compile(r"ord_[0-9a-f]{24}")
ENDS = ("order-confirmed", "order-declined", "order-failed")
# What a reader of the story needs not: who it was for, and how it was paid.
HIDDEN = {
    "account",
    "delivery_address",
    "fingerprint",
    "guest_id",
    "order_id",
    "payment_method",
}
# What everybody does who waits for its end.
READING = "GET /orders/{orderId}"
USUAL = {"level", "message", "order_id", "request_id", "stage", "timestamp"}


@dataclass(frozen=True)
class Moment:
    """Something that happened: when (Unix milliseconds), where, and what."""

    at: int
    where: str
    what: str

    def __str__(self) -> str:
        when = dt.datetime.fromtimestamp(self.at / 1000, dt.timezone.utc)
        return f"{when:%H:%M:%S.%f}"[:-3] + f"  {self.where:22} {self.what}"


def told(deployment: Deployment, order_id: str) -> Iterator[str]:
    """Tell the story of an order, line by line: what was logged, then what is noted.

    Args:
        deployment: the deployment.
        order_id: of the order.

    Raises:
        SettingsError: this is not the id of an order, or there is none of this id.
    """
    if not ORDER_ID.fullmatch(order_id):
        raise SettingsError(
            f"{order_id!r} is not the id of an order. Say ID=ord_... with all of its "
            "24 digits, as the page and the API show it."
        )
    noted = dict(_noted(deployment, order_id))
    if "checkout" not in noted:
        raise SettingsError(f"There is no order {order_id} in {deployment.prefix}.")
    began = dt.datetime.fromisoformat(noted["checkout"]["created_at"])
    yield f"{order_id}: {noted['checkout']['status']}, ordered at {began:%F %T} (UTC)"
    yield from map(str, moments(deployment, order_id, began))
    yield "What the services have noted:"
    for service, item in noted.items():
        facts = {n: value for n, value in sorted(item.items()) if n not in HIDDEN}
        yield f"  {service:20} " + ", ".join(f"{n}={v}" for n, v in facts.items())


def moments(deployment: Deployment, order_id: str, began: dt.datetime) -> list[Moment]:
    """Return what was logged of an order, in the order of time.

    Args:
        deployment: the deployment.
        order_id: of the order.
        began: when it was ordered.
    """
    # Cold workers' clocks and ours may differ a little.
    since = int((began - dt.timedelta(seconds=30)).timestamp() * 1000)
    found = (_moment(line) for line in lines(deployment, "", since, f'"{order_id}"'))
    return sorted((moment for moment in found if moment), key=lambda at: at.at)


def _moment(line: LogLine) -> Moment | None:
    try:
        said: dict[str, Any] = json.loads(line.words)
        at = dt.datetime.fromisoformat(said["timestamp"]).timestamp()
    except (ValueError, KeyError, TypeError):
        return None  # what Lambda itself says of a call
    if said.get("operation") == READING:
        return None
    more = [f"{name}={value}" for name, value in said.items() if name not in USUAL]
    words = [said["message"], *more, f"(request {said.get('request_id', '-')})"]
    return Moment(int(at * 1000), line.function, " ".join(words))


def _noted(deployment: Deployment, order_id: str) -> Iterator[tuple[str, Any]]:
    tables = stacks.outputs(deployment.stack("resources"))
    for service, key in KEYS.items():
        if TABLES[service] not in tables:
            continue
        names = [order_id]
        if key == "notice":
            names = [f"{order_id}#{end}" for end in ENDS]
        for name in names:
            found = client("dynamodb").get_item(
                TableName=tables[TABLES[service]],
                Key={key: {"S": name}},
                ConsistentRead=True,
            )
            if "Item" in found:
                yield service, {n: _plain(v) for n, v in found["Item"].items()}


def _plain(value: dict[str, Any]) -> Any:
    """Return what DynamoDB writes with its type, without."""
    ((kind, plain),) = value.items()
    return ", ".join(sorted(plain)) if kind == "SS" else plain
