"""A breaker: whoever does not answer is left alone for a while.

A worker knows only what it saw itself. It takes one message after the other, and a card
processor that is away would cost each of them its timeout and one of its deliveries.
What counts is each request and its answer. An order that ended without asking says
nothing of who was not asked.
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import requests

from .pace import PacedSession

FAILURES = 3
OPEN_SECONDS = 5.0


class Breaker:
    """Opens when so many requests in a row had no good answer.

    Args:
        failures: how many.
        open_seconds: for how long; then one request finds out how it is.
        clock: returns the time in seconds.
    """

    def __init__(
        self,
        failures: int = FAILURES,
        open_seconds: float = OPEN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = failures
        self._open_seconds = open_seconds
        self._clock = clock
        self._in_a_row = 0
        self._opens_until = 0.0

    def left(self) -> float:
        """Return for how many seconds it is still open; 0 when it is closed."""
        return max(0.0, self._opens_until - self._clock())

    def worked(self) -> None:
        """Note an answer."""
        self._in_a_row = 0
        self._opens_until = 0.0

    def failed(self) -> None:
        """Note that there was none."""
        self._in_a_row += 1
        if self._in_a_row >= self._failures:
            self._opens_until = self._clock() + self._open_seconds


class WatchedSession(PacedSession):
    """A session whose breaker hears how each of its requests ended.

    Args:
        breaker: hears it.
        per_second: how many requests it may send in a second.
    """

    def __init__(self, breaker: Breaker, per_second: float) -> None:
        super().__init__(per_second)
        self._breaker = breaker

    def send(
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        """Send a request; a refusal of what it asks is an answer, 429 is none."""
        try:
            answer = super().send(request, **options)
        except requests.RequestException:
            self._breaker.failed()
            raise
        if (
            answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
            or answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
        ):
            self._breaker.failed()
        else:
            self._breaker.worked()
        return answer
