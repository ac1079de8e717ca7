"""Keeping to the rate that Stripe allows: 25 requests a second in test mode.

Source: docs.stripe.com/rate-limits. A request over the rate is answered with 429 and
has to be sent again: faster is slower then. Workers do not know of each other, but how
many there are at most is settled (`MaximumConcurrency`), so each takes its share.
"""

import time
from collections.abc import Callable
from typing import Any

import requests


class PacedSession(requests.Session):
    """A session that leaves a pause between the starts of two requests.

    Args:
        per_second: how many requests it may send in a second.
        clock: returns the time in seconds.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self._pause = 1 / per_second
        self._next = 0.0
        self._clock = clock
        self._sleep = sleep

    def send(
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        """Send a request when it is its turn."""
        self._sleep(max(0.0, self._next - self._clock()))
        self._next = self._clock() + self._pause
        return super().send(request, **options)
