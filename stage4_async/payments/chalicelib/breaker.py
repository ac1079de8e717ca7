"""A breaker: whoever does not answer is left alone for a while.

A worker knows only what it saw itself. It takes one message after the other, and a card
processor that is away would cost each of them its timeout and one of its deliveries.
"""

import time
from collections.abc import Callable

FAILURES = 3
OPEN_SECONDS = 5.0


class Breaker:
    """Opens when so many tries in a row had no answer.

    Args:
        failures: how many.
        open_seconds: for how long; then one try finds out how it is.
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
