"""The oracle outside the stage: it compares what everybody else knows.

What clients were told, the orders as their guests read them, the Stripe sandbox's
ledger, the mailbox, and the stock as the catalogue shows it. Never a database of ours.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .client import FINAL, ORDER_ID, Buyer, Purchase, Told
from .world import PLENTY, World

FORGOTTEN = "order forgotten"
LOST = "accepted order lost"
TWO_ORDERS = "two orders for one key"
UNASKED = "order for a refused purchase"
NOT_PAID = "confirmed but not charged once"
PAID_TWICE = "charged twice"
PAID_FOR_NOTHING = "charged but not confirmed"
STRAY_CHARGE = "charge without an order"
WRONG_AMOUNT = "wrong amount"
WRONG_STOCK = "stock does not add up"
NO_MAIL = "no mail"
TWO_MAILS = "mail sent twice"
WRONG_MAIL = "mail tells another end"
TOLD_OTHERWISE = "told otherwise"
SERVER_ERROR = "server error"

POLL_SECONDS = 0.4
EVENTS = {
    "Your order is confirmed": "order-confirmed",
    "Your card was declined": "order-declined",
    "Your order could not be completed": "order-failed",
}
# A second mail would follow the first within a sweep or two.
QUIET_SECONDS = 1.0


@dataclass(frozen=True)
class Violation:
    """One law broken, by whom, and how."""

    law: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.law}: {self.subject} ({self.detail})"


@dataclass
class Verdict:
    """What the oracle found.

    Attributes:
        orders: how many ended how.
        settled_seconds: from when judging began until every order had ended.
        violations: the laws broken.
        done: what had to be done by hand, if anything.
    """

    orders: Counter[str]
    settled_seconds: float
    violations: list[Violation]
    done: str = ""

    @property
    def laws(self) -> Counter[str]:
        """How often each law was broken."""
        return Counter(violation.law for violation in self.violations)

    def __str__(self) -> str:
        ends = ", ".join(f"{n} {status}" for status, n in sorted(self.orders.items()))
        broken = "; ".join(f"{n} x {law}" for law, n in self.laws.items())
        done = f"; {self.done}" if self.done else ""
        return f"{ends or 'no orders'}; {broken or '0 lost, 0 wrong charges'}{done}"


@dataclass
class Evidence:
    """Everything there is to compare, after all orders had time to end."""

    orders: list[tuple[Buyer, dict[str, Any]]]
    charges: dict[str, dict[str, Any]]
    mails: dict[str, list[str]]
    stock: dict[str, int]
    by_key: dict[str, list[dict[str, Any]]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_key = defaultdict(list)
        for _, order in self.orders:
            self.by_key[order["deliveryAddress"].split()[-1]].append(order)


class Oracle:
    """Judges what some buyers went through.

    Args:
        world: where they bought.
        buyers: who.
        stock: how many of every product to put on the shelf first; plenty unless given.
        sold_out: a product of which there shall be none, if any.
    """

    def __init__(
        self,
        world: World,
        buyers: Sequence[Buyer],
        stock: int = PLENTY,
        sold_out: str | None = None,
    ) -> None:
        self._world = world
        self._buyers = buyers
        world.heal()
        world.empty_mailbox()
        world.fill_shelves(stock)
        if sold_out:
            world.under.set_stock(sold_out, 0)
        self._shelf = self._products()

    def judge(self, patience: float) -> Verdict:
        """Wait until every order has ended, then compare.

        Args:
            patience: how many seconds orders, and then mails, are waited for.
        """
        began = time.monotonic()
        orders = self._settled(patience)
        settled = time.monotonic() - began
        if not all(_ended(order) for _, order in orders):
            patience = QUIET_SECONDS  # it has been waited for in vain
        done = self._world.under.tidy_up(patience)
        evidence = Evidence(
            orders=orders,
            mails=self._mails(orders, patience),
            charges=self._world.charges(),
            stock=self._stock(orders, patience),
        )
        violations = [*self._violations(evidence)]
        everything = [order for _, order in orders]
        for broken in self._world.under.left_over(everything):
            violations.append(Violation(*broken))
        self._world.judged |= {order["orderId"] for _, order in orders}
        statuses = Counter(order["status"] for _, order in orders)
        return Verdict(statuses, settled, violations, done)

    def _violations(self, evidence: Evidence) -> Iterator[Violation]:
        for buyer, order in evidence.orders:
            yield from self._of_order(order, evidence)
            yield from self._of_mail(buyer, order, evidence)
        for buyer in self._buyers:
            yield from _of_log(buyer, evidence)
        yield from self._of_stock(evidence)
        yield from self._of_strays(evidence)

    def _of_order(
        self, order: dict[str, Any], evidence: Evidence
    ) -> Iterator[Violation]:
        order_id, status = order["orderId"], order["status"]
        price = self._shelf[order["productId"]]["unitAmount"] * order["quantity"]
        if status not in FINAL:
            yield Violation(FORGOTTEN, order_id, status)
        if order["amount"] != price:
            yield Violation(WRONG_AMOUNT, order_id, f"{order['amount']}, not {price}")
        paid = evidence.charges.get(order_id, {})
        count = paid.get("succeeded_charges", 0)
        kept = paid.get("amount_captured", 0) - paid.get("amount_refunded", 0)
        if count > 1:
            yield Violation(PAID_TWICE, order_id, f"{count} charges")
        if status == "confirmed" and count == 0:
            yield Violation(NOT_PAID, order_id, "no charge")
        elif status == "confirmed" and count == 1 and kept != order["amount"]:
            yield Violation(WRONG_AMOUNT, order_id, f"charged {kept}")
        elif status in FINAL and status != "confirmed" and kept:
            yield Violation(PAID_FOR_NOTHING, order_id, f"{kept} kept, {status}")

    def _of_mail(
        self, buyer: Buyer, order: dict[str, Any], evidence: Evidence
    ) -> Iterator[Violation]:
        order_id, status = order["orderId"], order["status"]
        if status not in FINAL:
            return
        got = evidence.mails.get(order_id, [])
        expected = f"order-{status} to {buyer.email}"
        if not got:
            yield Violation(NO_MAIL, order_id, status)
        if len(got) > 1 and order_id not in self._world.crash.inside_sending():
            yield Violation(TWO_MAILS, order_id, ", ".join(got))
        for mail in set(got) - {expected}:
            yield Violation(WRONG_MAIL, order_id, f"{mail}, not {expected}")

    def _of_stock(self, evidence: Evidence) -> Iterator[Violation]:
        for product_id, left in self._left(evidence.orders).items():
            if evidence.stock[product_id] != left:
                detail = f"{evidence.stock[product_id]} left, not {left}"
                yield Violation(WRONG_STOCK, product_id, detail)

    def _of_strays(self, evidence: Evidence) -> Iterator[Violation]:
        known = {order["orderId"] for _, order in evidence.orders}
        for order_id, paid in evidence.charges.items():
            stray = order_id not in known | self._world.judged
            if stray and paid["succeeded_charges"]:
                yield Violation(STRAY_CHARGE, order_id or "?", str(paid))

    def _settled(self, patience: float) -> list[tuple[Buyer, dict[str, Any]]]:
        """Read the orders of all buyers; read again while one is not final."""
        deadline = time.monotonic() + patience
        read: dict[Buyer, list[dict[str, Any]]] = {}
        waiting = list(self._buyers)
        with ThreadPoolExecutor(4) as pool:
            while True:
                read |= zip(waiting, pool.map(Buyer.orders, waiting), strict=True)
                waiting = [b for b in waiting if not all(map(_ended, read[b]))]
                if not waiting or time.monotonic() > deadline:
                    return [(b, order) for b in self._buyers for order in read[b]]
                time.sleep(POLL_SECONDS * self._world.under.pace)

    def _mails(
        self, orders: list[tuple[Buyer, dict[str, Any]]], patience: float
    ) -> dict[str, list[str]]:
        """What each order's mails say; waits until each order has one."""
        ended = {order["orderId"] for _, order in orders if _ended(order)}
        deadline = time.monotonic() + patience
        while ended - _by_order(self._world.mails()).keys():
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        time.sleep(QUIET_SECONDS)
        return _by_order(self._world.mails())

    def _stock(
        self, orders: list[tuple[Buyer, dict[str, Any]]], patience: float
    ) -> dict[str, int]:
        """What is on the shelf; waits until it adds up.

        Where another service gives it back, that may come after the end of the order.
        """
        deadline = time.monotonic() + patience
        expected = self._left(orders)
        while True:
            found = {name: shown["stock"] for name, shown in self._products().items()}
            if found == expected or time.monotonic() > deadline:
                return found
            time.sleep(POLL_SECONDS)

    def _left(self, orders: list[tuple[Buyer, dict[str, Any]]]) -> dict[str, int]:
        """What must be left on the shelf."""
        left = {name: shown["stock"] for name, shown in self._shelf.items()}
        for _, order in orders:
            # What is not final has its stock reserved still.
            if order["status"] in ("confirmed", "pending"):
                left[order["productId"]] -= order["quantity"]
        return left

    def _products(self) -> dict[str, dict[str, Any]]:
        return self._buyers[0].products()


def _of_log(buyer: Buyer, evidence: Evidence) -> Iterator[Violation]:
    told_of: defaultdict[Purchase, list[Told]] = defaultdict(list)
    for told in buyer.log:
        told_of[told.purchase].append(told)
    for purchase, all_told in told_of.items():
        found = evidence.by_key.get(purchase.key, [])
        if len(found) > 1:
            yield Violation(TWO_ORDERS, purchase.key, str(len(found)))
        mine = [o for o in found if o["deliveryAddress"] == purchase.address]
        if mine and all(400 <= told.status < 500 for told in all_told):
            yield Violation(UNASKED, purchase.key, mine[0]["orderId"])
        for told in all_told:
            yield from _of_answer(told, found[0] if found else {})


def _of_answer(told: Told, order: dict[str, Any]) -> Iterator[Violation]:
    key = told.purchase.key
    if told.status >= 500 and told.status != 503:
        yield Violation(SERVER_ERROR, key, f"{told.status} {told.body}")
    if told.order_id and told.order_id != order.get("orderId"):
        yield Violation(LOST, told.order_id, "the guest has no such order")
    elif told.end and told.end != order["status"]:
        yield Violation(
            TOLD_OTHERWISE, order["orderId"], f"told {told.end}, is {order['status']}"
        )
    if told.order and told.order["deliveryAddress"] != told.purchase.address:
        yield Violation(TOLD_OTHERWISE, key, "the answer is of another purchase")
    if told.status == 200 and told.body.get("success") != (told.end == "confirmed"):
        yield Violation(TOLD_OTHERWISE, key, f"success told of {told.end}")


def _ended(order: dict[str, Any]) -> bool:
    return order["status"] in FINAL


def _by_order(mails: list[dict[str, Any]]) -> dict[str, list[str]]:
    said: defaultdict[str, list[str]] = defaultdict(list)
    for mail in mails:
        order_id, event = _about(mail)
        if order_id:
            said[order_id].append(f"{event} to {mail['to']}")
    return dict(said)


def _about(mail: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return of which order and event a mail tells.

    The outbox of the local AWS keeps a letter's words and not all of its headers.
    """
    headers = {name.lower(): value for name, value in dict(mail["headers"]).items()}
    if "x-order-id" in headers:
        return headers["x-order-id"], headers.get("x-event")
    subject, _, _ = mail["subject"].partition(":")
    named = ORDER_ID.search(mail["text"])
    return (named[0] if named else None), EVENTS.get(subject)
