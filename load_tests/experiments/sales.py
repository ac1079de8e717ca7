"""Purchases of guests who come when they come, and what became of each order."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import msgspec
import requests

from load_tests import shelves
from load_tests.accounts import Account, sign_up_many
from load_tests.answers import NO_ANSWER, PENDING, OrderPage, WrongAnswer, read
from load_tests.open_loop.generator import fire
from load_tests.open_loop.purchases import TIMEOUT_SECONDS, Purchases
from sandbox.runner import RunningStage

LOOK_SECONDS = 4.0
ASK_SECONDS = 30.0
# How long a stage may refuse to show its orders: it is what we came for.
READ_SECONDS = 60.0
READ_PAUSE_SECONDS = 1.0
PAGE = 100
REFUSALS = 400  # and all statuses above it
WRONG = "wrong answer"

One = TypeVar("One")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Sale:
    """A purchase as its guest saw it.

    Attributes:
        at: when it was meant to be sent, in Unix seconds.
        seconds: from then to the answer.
        label: what the answer was: "202 accepted", "503 ...", "no answer: ...".
        accepted: whether the guest was told that it is ordered.
        order_id: of the order that the guest was told of: that it is ordered, or that
            it is kept although it could not be finished now; "" when of none.
    """

    at: float
    seconds: float
    label: str
    accepted: bool
    order_id: str = ""


@dataclass(frozen=True)
class Order:
    """An order as it is in the end; its times in Unix seconds.

    Attributes:
        order_id: its id.
        status: `pending`, `confirmed`, `declined` or `failed`.
        began: when it was written down.
        ended: when it got its status.
    """

    order_id: str
    status: str
    began: float
    ended: float


class Shop:
    """A running stage with guests of its own and full shelves.

    Args:
        stage: the running stage.
        accounts: of the guests.
    """

    def __init__(self, stage: RunningStage, accounts: Sequence[Account]) -> None:
        self.stage = stage
        self._accounts = accounts

    def sell(self, when: Iterable[float]) -> list[Sale]:
        """Have guests buy at these moments, however slow the answers are.

        Args:
            when: seconds from now, ascending; each is asked for when the one before it
                has come, so that a generator may end it.

        Raises:
            KeyboardInterrupt: it was cut short: what there is of it is not the sale.
        """
        meant = 0

        def counted() -> Iterator[float]:
            nonlocal meant
            for at in when:
                meant += 1
                yield at

        sales = asyncio.run(self._sell(counted()))
        if len(sales) < meant:
            raise KeyboardInterrupt
        return sales

    async def _sell(self, when: Iterable[float]) -> list[Sale]:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        ) as http:
            purchases = Purchases(http, self.stage.api_url, self._accounts)
            now = time.time()
            shots = await fire(when, purchases.buy)
        return [
            Sale(
                now + shot.intended,
                shot.corrected,
                shot.outcome.label,
                shot.outcome.order is not None,
                shot.outcome.order.order_id
                if shot.outcome.order
                else shot.outcome.kept,
            )
            for shot in sorted(shots, key=lambda shot: shot.intended)
        ]

    def orders(self) -> list[Order]:
        """Return all orders of our guests, as they are now.

        Raises:
            WrongAnswer, requests.RequestException: they were refused for a minute.
        """
        until = time.monotonic() + READ_SECONDS
        with requests.Session() as http:
            return [
                _order(found)
                for account in self._accounts
                for found in self._of(http, account, until)
            ]

    def settled(self, patience: float) -> list[Order]:
        """Return all orders once each has ended, or after so many seconds."""
        until = time.monotonic() + patience
        while True:
            orders = self.orders()
            pending = sum(order.status == PENDING for order in orders)
            if not pending or time.monotonic() > until:
                return orders
            time.sleep(LOOK_SECONDS)

    def charges(self) -> dict[str, int]:
        """Return how often each order was paid by Stripe's books, refunds taken off."""
        answer = requests.get(
            f"{self.stage.stripe_url}/_sandbox/ledger",
            params={"view": "orders"},
            timeout=ASK_SECONDS,
        )
        answer.raise_for_status()
        return {
            order_id: sums.get("succeeded_charges", 0) - sums.get("refunds", 0)
            for order_id, sums in answer.json()["orders"].items()
        }

    def stripe(self, path: str, **settings: Any) -> None:
        """Set something at the Stripe sandbox; without settings, as it was."""
        requests.request(
            "PUT" if settings else "DELETE",
            f"{self.stage.stripe_url}/_sandbox/{path}",
            json=settings or None,
            timeout=ASK_SECONDS,
        ).raise_for_status()

    def _of(
        self, http: requests.Session, account: Account, until: float
    ) -> Iterator[dict[str, Any]]:
        cursor = ""
        while True:
            more = f"&cursor={cursor}" if cursor else ""
            url = f"{self.stage.api_url}/orders?limit={PAGE}{more}"
            page = _page(http, account, url, until)
            yield from map(msgspec.structs.asdict, page.orders)
            if not page.next_cursor:
                return
            cursor = page.next_cursor


def _page(
    http: requests.Session, account: Account, url: str, until: float
) -> OrderPage:
    """Read a page of orders, again and again while it is refused.

    A stage that has just been asked too much refuses this as well, and one refusal
    would take all that was measured along.
    """
    while True:
        try:
            got = http.get(
                url, headers=account.headers("GET", url), timeout=ASK_SECONDS
            )
            return read(got.status_code, got.content, OrderPage)
        except (WrongAnswer, requests.RequestException):
            if time.monotonic() > until:
                raise
        time.sleep(READ_PAUSE_SECONDS)


@contextmanager
def opened(
    stage: RunningStage, guests: int, say: Callable[[str], None]
) -> Iterator[Shop]:
    """Sign guests up at a stage, and fill its shelves while they buy.

    Args:
        stage: the running stage.
        guests: how many.
        say: hears how far it is.
    """
    accounts = sign_up_many(stage, guests, lambda _: None)
    with shelves.filled(stage, accounts[0], lambda _: None):
        say(f"stage {stage.stage}: {guests} guests are there")
        yield Shop(stage, accounts)


@contextmanager
def timetable(*appointments: tuple[float, Callable[[], None]]) -> Iterator[list[float]]:
    """Do things at their times beside what the block does.

    Args:
        appointments: seconds from now, ascending, and what to do then.

    Returns:
        When each was done, in Unix seconds; complete after the block.

    Raises:
        Exception: the first that one of them raised, when all have had their turn.
    """
    done: list[float] = []
    failed: list[BaseException] = []
    stop, began = threading.Event(), time.monotonic()

    def keep() -> None:
        for seconds, what in appointments:
            if stop.wait(began + seconds - time.monotonic()):
                return
            try:
                what()
            except Exception as error:  # what was taken away must still come back
                failed.append(error)
            else:
                done.append(time.time())

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield done
        keeper.join()
    finally:
        stop.set()
    if failed:
        raise failed[0]


def at_once(what: Callable[[One], Found], each: Sequence[One]) -> list[Found]:
    """Do the same with each at the same time.

    The threads are daemons: whoever presses Ctrl-C waits for none of them.

    Args:
        what: is done, in a thread of its own.
        each: with which.

    Raises:
        BaseException: the first that one of them raised.
    """
    found: list[Future[Found]] = [Future() for _ in each]

    def do(one: One, future: Future[Found]) -> None:
        try:
            future.set_result(what(one))
        except BaseException as error:
            future.set_exception(error)

    for pair in zip(each, found, strict=True):
        threading.Thread(target=do, args=pair, daemon=True).start()
    ended = wait(found, return_when=FIRST_EXCEPTION).done
    if failed := next(filter(None, (future.exception() for future in ended)), None):
        raise failed
    return [future.result() for future in found]


def answers(sales: Sequence[Sale]) -> dict[str, int]:
    """Return how many answers there were of each kind, the most frequent first."""
    return dict(Counter(kind(sale) for sale in sales).most_common())


def kind(sale: Sale) -> str:
    """Return what an answer is for its guest.

    That is "accepted", the status of a refusal, "no answer", or a "wrong answer": what
    the contract does not promise, such as an order that was declined.
    """
    if sale.accepted:
        return "accepted"
    if sale.label.startswith(NO_ANSWER):
        return NO_ANSWER
    status = sale.label.split(" ")[0]
    return status if status.isdigit() and int(status) >= REFUSALS else WRONG


def _order(found: dict[str, Any]) -> Order:
    return Order(
        found["order_id"],
        found["status"],
        _unix(found["created_at"]),
        _unix(found["updated_at"]),
    )


def _unix(moment: str) -> float:
    return msgspec.convert(moment, dt.datetime).timestamp()
