"""What guests get while something happens to a stage: asked in a steady beat."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import requests

from load_tests.shelves import PLENTY
from sandbox.runner import RunningStage
from tests.backstage import backstage_of
from tests.guest import Guest

BEAT_SECONDS = 0.25
# Who waits longer for an answer has gone.
CAP_SECONDS = 3.0
PRODUCT = "candy-jar"
WELL = (HTTPStatus.OK, HTTPStatus.ACCEPTED)

# What was asked when (seconds from the beginning), the status (None without an answer),
# and how long it took (seconds).
Ask = list[Any]
Asks = dict[str, list[Ask]]
Mark = Callable[[str], None]


def _chat(guest: Guest) -> requests.Response:
    said = {"type": "unstructured", "unstructured": {"text": "hello"}}
    return guest.post("/nlu", json={"messages": [said]})


def _buy(guest: Guest) -> requests.Response:
    return guest.buy(PRODUCT)


def _browse(guest: Guest) -> requests.Response:
    return guest.get("/products")


def _orders(guest: Guest) -> requests.Response:
    return guest.get("/orders?limit=1")


# From the one that fails first to those that need least.
ACTIONS: dict[str, Callable[[Guest], requests.Response]] = {
    "chat": _chat,
    "buy": _buy,
    "browse": _browse,
    "my orders": _orders,
}


class Impatient(Guest):
    """A guest who gives up after so many seconds, once they have looked around."""

    patience: float | None = None

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request, on a connection of its own."""
        if self.patience:
            options["timeout"] = self.patience
            # One that is kept would be lost with the process at its other end.
            self.http.headers["Connection"] = "close"
        return super().request(method, path, **options)


class Watch:
    """Guests who do one thing each, over and over.

    Args:
        running: the stage.
        fill: fills the shelf; by the stage's usual way unless given.
        crowd: how many guests do what; one does each unless given.
        cap: when a guest gives up (seconds).
    """

    def __init__(
        self,
        running: RunningStage,
        fill: Callable[[], None] | None = None,
        crowd: Mapping[str, int] | None = None,
        cap: float = CAP_SECONDS,
    ) -> None:
        if fill:
            fill()
        else:
            backstage_of(running).set_stock(PRODUCT, PLENTY)
        self._guests: list[tuple[str, Impatient]] = []
        for name, count in (crowd or dict.fromkeys(ACTIONS, 1)).items():
            for _ in range(count):
                guest = Impatient(running)
                for _ in range(2):  # what is loaded late is loaded then
                    ACTIONS[name](guest)
                guest.patience = cap
                self._guests.append((name, guest))
        self._stop = threading.Event()

    def during(
        self, happen: Callable[[Mark], None], before: float = 3.0, after: float = 4.0
    ) -> dict[str, Any]:
        """Ask before, while and after something happens.

        Args:
            happen: makes it happen, and marks moments by a word.
            before: seconds.
            after: seconds.

        Returns:
            `asks`, and `marks`: words and the seconds from the beginning.
        """
        self._stop.clear()
        began = time.monotonic()
        marks: list[list[Any]] = []

        def mark(words: str) -> None:
            marks.append([words, round(time.monotonic() - began, 2)])

        with ThreadPoolExecutor(len(self._guests)) as crowd:
            asked = [crowd.submit(self._ask, *each, began) for each in self._guests]
            try:
                time.sleep(before)
                happen(mark)
                time.sleep(after)
            finally:
                self._stop.set()
        asks: Asks = {name: [] for name, _ in self._guests}
        for (name, _), each in zip(self._guests, asked, strict=True):
            asks[name] += each.result()
        return {"asks": asks, "marks": marks}

    def _ask(self, name: str, guest: Impatient, began: float) -> list[Ask]:
        asks: list[Ask] = []
        while not self._stop.is_set():
            start = time.monotonic()
            try:
                status: int | None = ACTIONS[name](guest).status_code
            except requests.RequestException:
                status = None
            took = time.monotonic() - start
            asks.append([round(start - began, 2), status, round(took, 3)])
            self._stop.wait(max(0.0, BEAT_SECONDS - took))
        return asks


def down_seconds(asks: list[Ask]) -> float:
    """Return how long somebody got nothing: from each failure to the next ask."""
    ends = [at for at, _, _ in asks[1:]] + [asks[-1][0] + asks[-1][2]]
    lost: float = sum(
        end - at
        for (at, status, _), end in zip(asks, ends, strict=True)
        if status not in WELL
    )
    return round(lost, 1)


def downtimes(asks: Asks) -> dict[str, float]:
    """Return the seconds that each action was down."""
    return {name: down_seconds(each) for name, each in asks.items()}


def listed(names: list[str]) -> str:
    """Return words as one says them: a, b and c."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def what_was_down(asks: Asks) -> str:
    """Tell in words which actions were down, and for how long at most."""
    down = {name: seconds for name, seconds in downtimes(asks).items() if seconds}
    if not down:
        return "nothing was down"
    lost = "everything" if len(down) == len(asks) else "only " + listed(list(down))
    if len(down) == len(asks) or len(down) == 1:
        return f"{lost} was down, for {max(down.values()):.1f} s"
    return f"{listed(list(down))} were down, for {max(down.values()):.1f} s at most"
