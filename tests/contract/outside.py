"""What the world outside the stage knows: Stripe's ledger and the guest's mailbox."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import requests

from tests.conftest import BY_BEARER
from tests.faulty import Faulty

T = TypeVar("T")
TIMEOUT_SECONDS = 10
PATIENCE_SECONDS = 60.0


class Ledger(Faulty):
    """The Stripe sandbox, and what it knows of an order."""

    def of(self, order_id: str) -> dict[str, Any]:
        """Return the sums of an order; empty when Stripe never heard of it."""
        answer = requests.get(
            f"{self._url}/_sandbox/ledger",
            params={"view": "orders", "order_id": order_id},
            timeout=TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        return answer.json()["orders"].get(order_id, {})

    def charges(self, order_id: str) -> int:
        """Return how often the order was paid; what was given back does not count."""
        sums = self.of(order_id)
        return sums.get("succeeded_charges", 0) - sums.get("refunds", 0)

    def known_orders(self) -> set[str]:
        """Return every order that Stripe ever heard of."""
        answer = requests.get(
            f"{self._url}/_sandbox/ledger",
            params={"view": "orders"},
            timeout=TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        return set(answer.json()["orders"])


class Mailbox(Faulty):
    """The mail that guests got; it does not count its faults."""

    def of(self, recipient: str) -> list[dict[str, Any]]:
        """Return the mail of an address, newest first.

        At stages of Cognito's without the code that confirmed the address.
        """
        mails = self.all_of(recipient)
        if BY_BEARER:
            return mails
        return [mail for mail in mails if "ord_" in mail["text"]]

    def all_of(self, recipient: str) -> list[dict[str, Any]]:
        """Return the mail of an address, newest first, whatever it is about."""
        answer = requests.get(
            f"{self._url}/",
            params={"to": recipient},
            headers={"Accept": "application/json"},
            timeout=TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        mails: list[dict[str, Any]] = answer.json()
        return mails


def until(look: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Look again and again until there is something to see; fail with `what`."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)
    return seen
