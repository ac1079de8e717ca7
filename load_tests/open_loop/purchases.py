"""One purchase of a spike, and what became of those that were accepted."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import msgspec

from load_tests.accounts import Account
from load_tests.answers import (
    PENDING,
    Bought,
    Order,
    WrongAnswer,
    read,
    read_purchase,
)
from load_tests.shelves import PRODUCTS
from tests.guest import tomorrow

TIMEOUT_SECONDS = 60.0
LOOKS_AT_ONCE = 8
LOOK_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Answer:
    """What came of a purchase.

    Attributes:
        label: for the table: "200 confirmed", "202 accepted", "503", "no answer: ...".
        account: whose purchase it was.
        order: what was accepted, and None when nothing was.
        kept: the id of the order that a refusal says is kept; "" when it names none.
    """

    label: str
    account: Account
    order: Order | None = None
    kept: str = ""


@dataclass(frozen=True)
class Fate:
    """What became of the orders that were accepted.

    Attributes:
        by_status: how many ended so; those still pending when we gave up are there.
        seconds: from the first look until the last order was final.
    """

    by_status: Counter[str]
    seconds: float


class Purchases:
    """Buys in turn for each account; see `shelves` for what.

    Args:
        http: the connections.
        api_url: of the stage, ending in /v1.
        accounts: of the guests.
    """

    def __init__(
        self, http: aiohttp.ClientSession, api_url: str, accounts: Sequence[Account]
    ) -> None:
        self._http = http
        self._api_url = api_url
        self._accounts = itertools.cycle(accounts)
        self._products = itertools.cycle(PRODUCTS)
        self._day = tomorrow()

    async def buy(self) -> Answer:
        """Buy one thing under a new key."""
        account = next(self._accounts)
        body = msgspec.json.encode(
            {
                "productId": next(self._products),
                "deliveryAddress": "5 Main Street, Springfield",
                "deliveryDate": self._day,
            }
        )
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        try:
            status, told, text = await self._ask(
                "POST", "/checkout", account, body, headers
            )
            return _judged(account, read_purchase(status, told, text), status)
        except WrongAnswer as wrong:
            return Answer(str(wrong), account, kept=wrong.order_id)

    async def fates(self, answers: Sequence[Answer], patience: float) -> Fate:
        """Follow every accepted order until it is final, or for so many seconds."""
        began, few = time.monotonic(), asyncio.Semaphore(LOOKS_AT_ONCE)

        async def follow(answer: Answer, order: Order) -> str:
            while order.status == PENDING and time.monotonic() - began < patience:
                async with few:
                    order = await self._look(answer.account, order)
                if order.status == PENDING:
                    await asyncio.sleep(LOOK_PAUSE_SECONDS)
            return "sold out" if order.sold_out else order.status

        ends = await asyncio.gather(
            *(follow(answer, answer.order) for answer in answers if answer.order)
        )
        return Fate(Counter(ends), time.monotonic() - began)

    async def _look(self, account: Account, order: Order) -> Order:
        """Read an order; one that cannot be read now is as it was."""
        try:
            status, _, text = await self._ask(
                "GET", f"/orders/{order.order_id}", account
            )
            return read(status, text, Order)
        except WrongAnswer:
            return order

    async def _ask(
        self,
        method: str,
        path: str,
        account: Account,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        url = self._api_url + path
        signed = account.headers(method, url, body, headers or {})
        try:
            async with self._http.request(
                method, url, data=body or None, headers=signed, allow_redirects=False
            ) as answer:
                return answer.status, dict(answer.headers), await answer.read()
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            return 0, {}, type(error).__name__.encode()


def _judged(account: Account, bought: Bought, status: int) -> Answer:
    if bought.order.sold_out:
        return Answer(f"{status} sold out", account)
    word = "accepted" if status == 202 else "confirmed"
    return Answer(f"{status} {word}", account, bought.order)
