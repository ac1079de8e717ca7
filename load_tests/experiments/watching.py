"""What guests get while something happens to a stage: asked in a steady beat."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import requests

from load_tests.bench.load import LoadError
from load_tests.shelves import PLENTY
from sandbox.runner import RunningStage
from tests.backstage import backstage_of
from tests.guest import Guest

BEAT_SECONDS = 0.5
# Who waits longer for an answer has gone.
CAP_SECONDS = 3.0
PRODUCT = "candy-jar"
# What is loaded late is loaded by then.
WARM_UP_ASKS = 4
# So long it may take until everything is answered, before anything happens to it.
CALM_SECONDS = 45.0
# So long it is asked on at the end, for who is not answered yet.
OPEN_SECONDS = 30.0
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


def _look_around(name: str, guest: Guest) -> None:
    for _ in range(WARM_UP_ASKS):
        ACTIONS[name](guest)


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
        self._guests = [
            (name, Impatient(running))
            for name, count in (crowd or dict.fromkeys(ACTIONS, 1)).items()
            for _ in range(count)
        ]
        with ThreadPoolExecutor(len(self._guests)) as warming:
            # All at once, so that there are as many workers as there will be guests.
            list(warming.map(lambda each: _look_around(*each), self._guests))
        for _, guest in self._guests:
            guest.patience = cap
        self._stop = threading.Event()

    def during(
        self, happen: Callable[[Mark], None], before: float = 3.0, after: float = 4.0
    ) -> dict[str, Any]:
        """Ask before, while and after something happens.

        Args:
            happen: makes it happen, and marks moments by a word.
            before: for so many seconds everything must have been answered.
            after: seconds; longer while somebody's last request was not answered.

        Returns:
            `asks`, and `marks`: words and the seconds from the beginning.

        Raises:
            LoadError: not everything is answered although nothing happens to it.
        """
        self._stop.clear()
        began = time.monotonic()
        marks: list[list[Any]] = []
        asked: list[list[Ask]] = [[] for _ in self._guests]

        def mark(words: str) -> None:
            marks.append([words, time.monotonic() - began])

        with ThreadPoolExecutor(len(self._guests)) as crowd:
            for each, asks in zip(self._guests, asked, strict=True):
                crowd.submit(self._ask, *each, began, asks)
            try:
                first = _calm(asked, began, before)
                happen(mark)
                time.sleep(after)
                _closed(asked)
            finally:
                self._stop.set()
        found: Asks = {name: [] for name, _ in self._guests}
        for (name, _), asks in zip(self._guests, asked, strict=True):
            found[name] += [
                [round(at - first, 2), status, round(took, 3)]
                for at, status, took in asks
                if at >= first
            ]
        at_last = [[words, round(at - first, 2)] for words, at in marks]
        return {"asks": found, "marks": at_last}

    def _ask(self, name: str, guest: Impatient, began: float, asks: list[Ask]) -> None:
        while not self._stop.is_set():
            start = time.monotonic()
            try:
                status: int | None = ACTIONS[name](guest).status_code
            except requests.RequestException:
                status = None
            took = time.monotonic() - start
            asks.append([start - began, status, took])
            self._stop.wait(max(0.0, BEAT_SECONDS - took))


def _calm(asked: list[list[Ask]], began: float, seconds: float) -> float:
    """Wait until everything was answered for a while; return when that while began."""
    deadline = time.monotonic() + CALM_SECONDS + seconds
    time.sleep(seconds)
    while time.monotonic() < deadline:
        first = time.monotonic() - began - seconds
        late = [[ask for ask in asks if ask[0] + ask[2] >= first] for asks in asked]
        if all(asks and all(status in WELL for _, status, _ in asks) for asks in late):
            return first
        time.sleep(0.2)
    raise LoadError(
        "guests go without answers although nothing happens; the machine is too busy"
    )


def _closed(asked: list[list[Ask]]) -> None:
    """Wait until everybody's last request was answered, but not for ever."""
    deadline = time.monotonic() + OPEN_SECONDS
    while time.monotonic() < deadline and any(map(still_down, asked)):
        time.sleep(0.2)


def still_down(asks: list[Ask]) -> bool:
    """Return whether the last request was not answered, so that nobody saw the end."""
    return asks[-1][1] not in WELL


def down_seconds(asks: list[Ask]) -> float:
    """Return how long somebody got nothing: from each failure to the next answer.

    Of who is `still_down` at the end: up to then, which is at least so long.
    """
    lost, since = 0.0, None
    for at, status, took in asks:
        if status not in WELL:
            since = at if since is None else since
        elif since is not None:
            lost += at + took - since
            since = None
    if since is not None:
        at, _, took = asks[-1]
        lost += at + took - since
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
    """Tell in words which actions were down, and for how long at most.

    At least, where nobody saw the end.
    """
    down = {name: seconds for name, seconds in downtimes(asks).items() if seconds}
    if not down:
        return "nothing was down"
    lost = "everything" if len(down) == len(asks) else "only " + listed(list(down))
    seconds = f"for {max(down.values()):.1f} s"
    if any(still_down(asks[name]) for name in down):
        seconds += " at least, for nobody saw the end of it"
    elif 1 < len(down) < len(asks):
        seconds += " at most"
    who = listed(list(down)) + " were" if 1 < len(down) < len(asks) else lost + " was"
    return f"{who} down, {seconds}"
