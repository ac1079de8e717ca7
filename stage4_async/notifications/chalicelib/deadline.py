"""Until when an answer is of use: Lambda ends the work at hand at its timeout."""

import time
from contextvars import ContextVar
from typing import Protocol

# What is left to write down how far we came, and to say so: two writes, of which each
# may wait for its answer in vain once.
RESERVE_SECONDS = 4.0

_ends: ContextVar[float | None] = ContextVar("ends", default=None)


class Context(Protocol):
    """What Lambda tells a function of the call at hand."""

    def get_remaining_time_in_millis(self) -> float:
        """How long it may still take."""


def begin(context: Context) -> None:
    """Note when Lambda will end the work that begins."""
    _ends.set(time.time() + context.get_remaining_time_in_millis() / 1000)


def left(most: float) -> float:
    """Tell how many seconds are left to wait for others.

    Args:
        most: the answer where nothing ends sooner, in seconds.
    """
    ends = _ends.get()
    return most if ends is None else min(most, ends - time.time() - RESERVE_SECONDS)
