"""What the world outside the stage knows: Stripe's ledger and the guest's mailbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import requests

from tests.conftest import BY_BEARER

T = TypeVar("T")
TIMEOUT_SECONDS = 10
PATIENCE_SECONDS = 60.0


class Faulty:
    """A part of the sandbox that can be told to go wrong."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._faults = f"{url}/_sandbox/faults"

    @contextmanager
    def going_wrong(self, **faults: Any) -> Iterator[None]:
        """Let it go wrong in these ways inside the block."""
        self.break_down(**faults)
        try:
            yield
        finally:
            self.heal()

    def break_down(self, **faults: Any) -> None:
        """Let it go wrong in these ways, and no other, until it is healed."""
        self._call("PUT", json=faults)

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self._call("DELETE")

    def injected(self) -> int:
        """Return how many faults hit somebody since they were set."""
        return sum(self._call("GET").json()["injected"].values())

    def _call(self, method: str, **options: Any) -> requests.Response:
        answer = requests.request(
            method, self._faults, timeout=TIMEOUT_SECONDS, **options
        )
        answer.raise_for_status()
        return answer


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
